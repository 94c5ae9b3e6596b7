import { constant } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { gate, isSettled } from '../gate.fixture.js';
import { runInside } from '../scopes/background-context.js';
import { setup as setupQueue } from './queue.fixture.js';
import type { TaskQueueOptions } from './queue.options.js';

/** A queue whose worker has `shutdownTimeoutMs` to stop, as the host gives it: the signal is aborted then. */
function setup(options: TaskQueueOptions = {}, shutdownTimeoutMs = 30_000) {
  const all = setupQueue(
    { retry: { maxAttempts: 2, backoff: constant('10s') }, ...options },
    { shutdownTimeoutMs },
  );
  const { clock, runner } = all;
  const deadline = new AbortController();
  const stop = async (): Promise<void> => {
    if (Number.isFinite(shutdownTimeoutMs)) clock.schedule(shutdownTimeoutMs, () => deadline.abort());
    await runner.stop(deadline.signal);
  };
  return { ...all, stop };
}

const failOnce = ({ attempt }: { attempt: number }): string => {
  if (attempt === 1) throw new Error('once more');
  return 'second attempt';
};

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}

describe('a queue that drains', () => {
  it('runs what falls due before the deadline', async () => {
    const { queue, clock, stop, eventOf } = setup();
    const failing = await queue.enqueue(failOnce);
    const scheduled = await queue.enqueue(() => 'scheduled', { delay: '20s' });
    await clock.advance(0);
    const stopped = stop();
    expect(await isSettled(stopped, clock)).toBe(false);
    expect(eventOf('queue.draining')).toMatchObject({ waiting: 0, active: 0, scheduled: 2 });
    await clock.advance('10s');
    expect(await failing.result()).toBe('second attempt');
    expect(await isSettled(stopped, clock)).toBe(false);
    await clock.advance('10s');
    await stopped;
    expect(await scheduled.result()).toBe('scheduled');
    expect(eventOf('queue.drained')).toMatchObject({ completed: 2, durationMs: 20_000 });
  });

  it('reports at once what falls due only after the deadline, when nothing else is left', async () => {
    const { queue, clock, stop, eventOf } = setup({ retry: { maxAttempts: 2, backoff: constant('1h') } });
    const failing = await queue.enqueue(failOnce, { name: 'failing' });
    const scheduled = await queue.enqueue(() => 'scheduled', { delay: '1d', name: 'scheduled' });
    await clock.advance(0);
    await stop();
    expect(clock.monotonic()).toBe(0);
    expect(eventOf('queue.abandoned')).toMatchObject({
      waiting: [{ taskId: scheduled.id, name: 'scheduled' }],
      retrying: [{ taskId: failing.id, name: 'failing' }],
      running: [],
    });
    await expect(scheduled.result()).rejects.toMatchObject({ code: 'TASK_ABANDONED' });
    await expect(failing.result()).rejects.toMatchObject({
      code: 'TASK_ABANDONED',
      cause: expect.objectContaining({ message: 'once more' }) as never,
    });
    expect([await scheduled.state(), await failing.state()]).toEqual(['cancelled', 'cancelled']);
    expect(queue.scheduled).toBe(0);
    await queue.whenIdle();
  });

  it('waits for running work and then no longer, when what is left falls due after the deadline', async () => {
    const { queue, clock, stop, eventOf } = setup();
    const held = gate();
    await queue.enqueue(() => held.opened);
    await queue.enqueue(() => {}, { delay: '1h' });
    const stopped = stop();
    await clock.advance('5s');
    held.open();
    await stopped;
    expect(clock.monotonic()).toBe(5_000);
    expect(eventOf('queue.abandoned')).toMatchObject({ waiting: [{}], retrying: [], running: [] });
  });

  it('waits no longer when what it waits for is cancelled', async () => {
    const { queue, clock, stop } = setup();
    const scheduled = await queue.enqueue(() => {}, { delay: '20s' });
    const stopped = stop();
    expect(await isSettled(stopped, clock)).toBe(false);
    await scheduled.cancel();
    await stopped;
    expect(clock.monotonic()).toBe(0);
  });

  it('waits for attempts, and not for what is scheduled, when there is no deadline', async () => {
    const { queue, clock, stop, eventOf } = setup({}, Infinity);
    const failing = await queue.enqueue(failOnce);
    const scheduled = await queue.enqueue(() => {}, { delay: '1h', name: 'scheduled' });
    await clock.advance(0);
    const stopped = stop();
    await clock.advance('10s');
    await stopped;
    expect(await failing.result()).toBe('second attempt');
    await expect(scheduled.result()).rejects.toMatchObject({ code: 'TASK_ABANDONED' });
    expect(eventOf('queue.abandoned')).toMatchObject({ waiting: [{ name: 'scheduled' }], retrying: [] });
  });

  it('waits for what running work schedules, when that falls due before the deadline', async () => {
    const { queue, clock, stop } = setup();
    const held = gate();
    const ran: number[] = [];
    await queue.enqueue(async () => {
      await held.opened;
      await queue.enqueue(() => ran.push(clock.monotonic()), { delay: '5s' });
    });
    const stopped = stop();
    held.open();
    await clock.advance('5s');
    await stopped;
    expect(ran).toEqual([5_000]);
  });

  it('takes nothing back that fails or puts itself off when it is closed', async () => {
    const { queue, clock, stop, eventOf } = setup({ concurrency: 3 });
    const putOff = await queue.enqueue(async ({ signal, retryAfter }) => {
      await abortOf(signal);
      return retryAfter('1s');
    });
    const failing = await queue.enqueue(async ({ signal }) => {
      await abortOf(signal);
      throw new Error('no good end');
    });
    const timingOut = await queue.enqueue(
      // Its own timeout comes in the same moment as the deadline, and is the first.
      ({ signal }) => abortOf(signal),
      { timeout: '30s' },
    );
    const stopped = stop();
    await clock.advance('30s');
    await stopped;
    await expect(putOff.result()).rejects.toMatchObject({ code: 'TASK_ABANDONED' });
    await expect(failing.result()).rejects.toThrow('no good end');
    await expect(timingOut.result()).rejects.toMatchObject({ code: 'TASK_ABANDONED' });
    expect([await putOff.state(), await failing.state(), await timingOut.state()]).toEqual([
      'cancelled',
      'dead',
      'cancelled',
    ]);
    expect(eventOf('queue.abandoned')).toBeDefined();
    await queue.whenIdle();
    expect([queue.scheduled, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('gives up at once, and by name, what a paused queue holds', async () => {
    const { queue, clock, stop, eventOf } = setup();
    await queue.enqueue(failOnce);
    await clock.advance(0);
    queue.pause();
    await stop();
    expect(clock.monotonic()).toBe(0);
    expect(eventOf('queue.abandoned')).toMatchObject({ waiting: [], retrying: [{}] });
  });

  it('refuses scheduled work from outside while it drains, and from inside when it is closed', async () => {
    const { queue, clock, stop } = setup();
    const held = gate();
    await queue.enqueue(() => held.opened);
    const stopped = stop();
    await expect(queue.enqueue(() => {}, { delay: 5 })).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
    held.open();
    await stopped;
    const late = runInside(undefined, () => queue.enqueue(() => {}, { delay: 5 }));
    await expect(late).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
    expect(clock.pendingTimers).toBe(1); // that of the deadline, which this test armed
  });
});
