import { describe, expect, it } from 'vitest';
import { IllegalStateError, QueueClosedError, TaskCancelledError } from '../errors.js';
import { gate, isSettled } from '../gate.fixture.js';
import { setup as setupQueue } from './queue.fixture.js';
import type { TaskQueueOptions } from './queue.options.js';

function setup(options: TaskQueueOptions = {}) {
  const { clock, seen, queue, runner } = setupQueue({ concurrency: 0, ...options });
  return { clock, seen, queue, stop: () => runner.stop(AbortSignal.abort()) };
}

describe('dequeue', () => {
  it('Q1 takes the tasks out in order, and whoever takes one runs it', async () => {
    const { queue, clock } = setup();
    const handles = [await queue.enqueue(() => 'a'), await queue.enqueue(() => 'b')];
    await clock.advance('1h');
    expect([queue.size, queue.active]).toEqual([2, 0]);
    for (const handle of handles) {
      const task = await queue.dequeue();
      expect([task.id, task.queue, task.name]).toEqual([handle.id, 'default', 'anonymous']);
      expect(task.enqueuedAt).toEqual(new Date('2026-01-01T00:00:00Z'));
      await task.run();
    }
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(['a', 'b']);
    await queue.whenIdle();
  });

  it('waits for a task, first come first served, when there is none', async () => {
    const { queue } = setup({ capacity: 0 });
    const [first, second] = [queue.dequeue(), queue.dequeue()];
    const handles = [queue.tryEnqueue(() => {})!, queue.tryEnqueue(() => {})!];
    expect(queue.tryEnqueue(() => {})).toBeUndefined();
    expect([(await first).id, (await second).id]).toEqual(handles.map(({ id }) => id));
  });

  it('admits a producer who waits when it takes a task out', async () => {
    const { queue, clock } = setup({ capacity: 1 });
    await queue.enqueue(() => 1);
    const blocked = queue.enqueue(() => 2);
    expect(await isSettled(blocked, clock)).toBe(false);
    await queue.dequeue();
    expect(await isSettled(blocked, clock)).toBe(true);
    expect(queue.size).toBe(1);
  });

  it('runs the work once when run is called twice', async () => {
    const { queue } = setup();
    const ran: string[] = [];
    await queue.enqueue(() => ran.push('once'));
    const task = await queue.dequeue();
    expect(task.run()).toBe(task.run());
    await task.run();
    expect(ran).toEqual(['once']);
  });

  it('resolves run, and rejects the result, when the work fails', async () => {
    const { queue } = setup();
    const handle = await queue.enqueue(() => Promise.reject(new Error('broken')));
    await expect((await queue.dequeue()).run()).resolves.toBeUndefined();
    await expect(handle.result()).rejects.toThrow('broken');
  });

  it("Q6 cancels the task when the runner's signal is aborted", async () => {
    const { queue, clock } = setup();
    const controller = new AbortController();
    const handle = await queue.enqueue(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    const run = (await queue.dequeue()).run({ signal: controller.signal });
    await clock.advance(0);
    const reason = new Error('worker stops');
    controller.abort(reason);
    await run;
    await expect(handle.result()).rejects.toMatchObject({ code: 'TASK_CANCELLED', cause: reason });
  });

  it('cancels a task that is run under an aborted signal, and does not begin it', async () => {
    const { queue } = setup();
    const ran: string[] = [];
    const handle = await queue.enqueue(() => ran.push('ran'));
    await (await queue.dequeue()).run({ signal: AbortSignal.abort() });
    await expect(handle.result()).rejects.toThrow(TaskCancelledError);
    expect(ran).toEqual([]);
    await queue.whenIdle();
  });

  it('cancels a task whose run is aborted, though the work ignores that', async () => {
    const { queue, clock } = setup();
    const held = gate();
    const handle = await queue.enqueue(() => held.opened);
    const abort = new AbortController();
    const run = (await queue.dequeue()).run({ signal: abort.signal });
    await clock.advance(0);
    abort.abort();
    expect(await handle.state()).toBe('cancelled');
    held.open();
    await run;
  });

  it('skips cancelled tasks', async () => {
    const { queue } = setup();
    const handles = [
      await queue.enqueue(() => 1),
      await queue.enqueue(() => 2),
      await queue.enqueue(() => 3),
    ];
    await handles[0]!.cancel();
    await handles[1]!.cancel();
    expect(queue.size).toBe(1);
    expect((await queue.dequeue()).id).toBe(handles[2]!.id);
  });

  it('does not run a task that was cancelled after it was taken out', async () => {
    const { queue, seen } = setup();
    const taking = queue.dequeue();
    const handle = queue.tryEnqueue(() => 1)!;
    expect(await handle.cancel()).toBe(true);
    expect(queue.size).toBe(0);
    await (await taking).run();
    expect(await handle.state()).toBe('cancelled');
    expect(seen.map(({ type }) => type)).toEqual(['task.enqueued', 'task.cancelled']);
    await queue.whenIdle();
  });

  it('does not speak of an overrun place when a task that was taken out ignores its signal', async () => {
    const { queue, clock, seen } = setup({ timeout: '1s' });
    await queue.enqueue(() => new Promise(() => {}));
    void (await queue.dequeue()).run();
    await clock.advance('1h');
    expect(seen.map(({ type }) => type)).toEqual(['task.enqueued', 'task.started', 'task.timedOut']);
  });

  it('waits while the queue is paused', async () => {
    const { queue, clock } = setup();
    queue.pause();
    const handle = await queue.enqueue(() => 1);
    const taking = queue.dequeue();
    expect(await isSettled(taking, clock)).toBe(false);
    queue.resume();
    expect((await taking).id).toBe(handle.id);
  });

  it('rejects with the reason of its signal when that is aborted, and takes nothing', async () => {
    const { queue } = setup();
    const controller = new AbortController();
    const taking = queue.dequeue({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(taking).rejects.toThrow('enough');
    await queue.enqueue(() => 1);
    await expect(queue.dequeue({ signal: controller.signal })).rejects.toThrow('enough');
    expect(queue.size).toBe(1);
  });

  it('rejects with QueueClosedError when the queue is closed', async () => {
    const { queue, stop } = setup();
    const taking = queue.dequeue();
    const refused = taking.catch((error: unknown) => error);
    await stop();
    expect(await refused).toBeInstanceOf(QueueClosedError);
    await expect(queue.dequeue()).rejects.toMatchObject({ code: 'QUEUE_CLOSED', queue: 'default' });
  });

  it('rejects when the queue is run by its own workers', async () => {
    const { queue } = setup({ concurrency: 2 });
    await expect(queue.dequeue()).rejects.toBeInstanceOf(IllegalStateError);
    await expect(queue.dequeue()).rejects.toThrow(/concurrency 2/);
  });

  it('reports what was taken out and not run when the queue closes', async () => {
    const { queue, seen, stop } = setup();
    const taken = await queue.enqueue(() => 1);
    const waiting = await queue.enqueue(() => 2);
    const task = await queue.dequeue();
    await stop();
    const labels = [taken, waiting].map(({ id }) => ({ taskId: id, name: 'anonymous' }));
    expect(seen).toContainEqual(
      expect.objectContaining({ type: 'queue.abandoned', waiting: labels, running: [] }),
    );
    await task.run();
    await expect(taken.result()).rejects.toMatchObject({ code: 'TASK_ABANDONED' });
    await queue.whenIdle();
  });
});
