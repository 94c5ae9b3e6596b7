import { describe, expect, it } from 'vitest';
import { TaskTimeoutError } from '../errors.js';
import { gate } from '../gate.fixture.js';
import type { TaskContext } from '../scopes/context.js';
import { heedful, setup } from './queue.fixture.js';

describe('timeouts', () => {
  it("aborts the signal and rejects the result when the queue's timeout is over", async () => {
    const { queue, clock, typesOf } = setup({ timeout: '5s' });
    const handle = await queue.enqueue(heedful);
    await clock.advance('4999ms');
    expect(await handle.state()).toBe('active');
    await clock.advance(1);
    await expect(handle.result()).rejects.toBeInstanceOf(TaskTimeoutError);
    await expect(handle.result()).rejects.toMatchObject({ code: 'TASK_TIMED_OUT', timeoutMs: 5_000 });
    expect(await handle.state()).toBe('dead');
    expect(typesOf(handle.id)).toEqual(['task.enqueued', 'task.started', 'task.timedOut']);
    expect([queue.active, clock.pendingTimers]).toEqual([0, 0]);
  });

  it("lets the task's own timeout win", async () => {
    const { queue, clock } = setup({ timeout: '5s', concurrency: 2 });
    const [short, long] = [
      await queue.enqueue(heedful, { timeout: '1s' }),
      await queue.enqueue(heedful, { timeout: '9s' }),
    ];
    await clock.advance('1s');
    expect([await short.state(), await long.state()]).toEqual(['dead', 'active']);
    await clock.advance('7s');
    expect(await long.state()).toBe('active');
    await clock.advance('1s');
    expect(await long.state()).toBe('dead');
  });

  it('counts from when the task begins to run', async () => {
    const { queue, clock } = setup({ timeout: '5s' });
    queue.pause();
    const handle = await queue.enqueue(heedful);
    await clock.advance('1h');
    queue.resume();
    await clock.advance('4s');
    expect(await handle.state()).toBe('active');
    await clock.advance('1s');
    expect(await handle.state()).toBe('dead');
  });

  it('leaves no timer when the work ends in time', async () => {
    const { queue, clock } = setup({ timeout: '5s' });
    await (await queue.enqueue(() => {})).result();
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives the place to the next task after the grace when the work ignores its signal', async () => {
    const { queue, clock, seen } = setup({ timeout: '5s' });
    const held = gate();
    const stubborn = await queue.enqueue(() => held.opened);
    const next = await queue.enqueue(() => 'next');
    await clock.advance('5s');
    await expect(stubborn.result()).rejects.toMatchObject({ code: 'TASK_TIMED_OUT' });
    expect(await next.state()).toBe('waiting');
    await clock.advance('1s');
    expect(await next.result()).toBe('next');
    expect(seen).toContainEqual(
      expect.objectContaining({ type: 'task.overran', taskId: stubborn.id, graceMs: 1_000 }),
    );
    expect(queue.active).toBe(1);
    held.open();
    await queue.whenIdle();
    expect(await (await queue.enqueue(() => 'one at a time again')).result()).toBe('one at a time again');
  });

  it('changes nothing when the task was cancelled before', async () => {
    const { queue, clock, typesOf } = setup({ timeout: '5s' });
    const held = gate();
    const handle = await queue.enqueue(() => held.opened);
    await clock.advance('1s');
    await handle.cancel();
    await clock.advance('5s');
    held.open();
    await queue.whenIdle();
    await expect(handle.result()).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    expect(typesOf(handle.id)).toEqual(['task.enqueued', 'task.started', 'task.cancelled', 'task.overran']);
  });

  it('is the outcome when a listener of the signal cancels the task', async () => {
    const { queue, clock } = setup({ timeout: '5s' });
    const handle = await queue.enqueue(({ signal }) => {
      signal.addEventListener('abort', () => void handle.cancel());
      return heedful({ signal } as TaskContext);
    });
    await clock.advance('5s');
    await expect(handle.result()).rejects.toMatchObject({ code: 'TASK_TIMED_OUT' });
  });
});
