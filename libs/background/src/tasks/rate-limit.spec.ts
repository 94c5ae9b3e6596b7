import { describe, expect, it } from 'vitest';
import { setup as setupQueue } from './queue.fixture.js';
import type { TaskQueueOptions } from './queue.options.js';

/** A queue that may begin two tasks in a second, and when those that it has run began. */
function setup(options: TaskQueueOptions = {}, begun = true) {
  const bundle = setupQueue({ rateLimit: { max: 2, per: '1s' }, concurrency: 5, ...options }, { begun });
  const begins: number[] = [];
  const note = (): void => void begins.push(bundle.clock.monotonic());
  const enqueue = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) await bundle.queue.enqueue(note);
    await bundle.clock.advance(0);
  };
  return { ...bundle, begins, note, enqueue };
}

describe('a queue with a rate limit', () => {
  it('begins no more tasks in any stretch of time, and the others when there is room', async () => {
    const { queue, clock, begins, enqueue } = setup();
    await enqueue(5);
    expect([begins, queue.size, queue.active]).toEqual([[0, 0], 3, 0]);
    await clock.advance('999ms');
    expect(begins.length).toBe(2);
    await clock.advance(1);
    await clock.advance('1s');
    expect(begins).toEqual([0, 0, 1_000, 1_000, 2_000]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('measures from each begin, wherever the stretch begins', async () => {
    const { clock, begins, enqueue } = setup();
    await enqueue(1);
    await clock.advance(600);
    await enqueue(3);
    await clock.advance('5s');
    expect(begins).toEqual([0, 600, 1_000, 1_600]);
  });

  it('arms no timer when nothing waits for it', async () => {
    const { clock, begins, enqueue } = setup();
    await enqueue(2);
    expect([begins.length, clock.pendingTimers]).toEqual([2, 0]);
  });

  it('counts every attempt, and lets a retry wait for its turn', async () => {
    const { queue, clock, begins, note } = setup({ rateLimit: { max: 1, per: '1s' } });
    const backoff = { delayMs: () => 10 };
    const failing = (): void => {
      note();
      throw new Error('broken');
    };
    const handle = await queue.enqueue(failing, { retry: { maxAttempts: 3, backoff } });
    await clock.advance('10s');
    expect([begins, await handle.state()]).toEqual([[0, 1_000, 2_000], 'dead']);
  });

  it('gives back the room of a task that was cancelled before it began', async () => {
    const { queue, clock, begins, note, enqueue } = setup();
    const first = queue.tryEnqueue(note)!;
    await first.cancel(); // handed to a worker, and not begun
    await enqueue(2);
    expect([begins, clock.pendingTimers]).toEqual([[0, 0], 0]);
  });

  it('lets what waits begin when the room that was taken is given back', async () => {
    const { queue, clock, begins, note } = setup({ rateLimit: { max: 1, per: '1s' } });
    const [first] = [queue.tryEnqueue(note)!, queue.tryEnqueue(note)!];
    expect(queue.size).toBe(1);
    await first.cancel();
    await clock.advance(0);
    expect(begins).toEqual([0]);
  });

  it('holds for tasks that are dequeued, from when they begin', async () => {
    const { queue, clock, begins, note } = setup({ concurrency: 0 });
    for (let i = 0; i < 3; i += 1) await queue.enqueue(note);
    const taken = [await queue.dequeue(), await queue.dequeue()];
    const third = queue.dequeue();
    await clock.advance('5s');
    for (const task of taken) await task.run();
    await clock.advance('999ms');
    expect([begins, queue.size]).toEqual([[5_000, 5_000], 1]);
    await clock.advance(1);
    await (await third).run();
    expect(begins).toEqual([5_000, 5_000, 6_000]);
  });

  it('waits while the queue is paused, and goes on after', async () => {
    const { queue, clock, begins, enqueue } = setup();
    await enqueue(3);
    await queue.pause();
    await clock.advance('5s');
    expect(begins.length).toBe(2);
    await queue.resume();
    await clock.advance(0);
    expect(begins).toEqual([0, 0, 5_000]);
  });

  it('lets a full queue fill up again as tasks begin', async () => {
    const { queue, clock, begins, note } = setup({ capacity: 1, rateLimit: { max: 1, per: '1s' } });
    await queue.enqueue(note);
    await queue.enqueue(note);
    let isAccepted = false;
    void queue.enqueue(note).then(() => (isAccepted = true));
    await clock.advance('999ms');
    expect(isAccepted).toBe(false);
    await clock.advance(1);
    expect(isAccepted).toBe(true);
    await clock.advance('1s');
    expect(begins).toEqual([0, 1_000, 2_000]);
  });
});

describe('a queue with a rate limit that stops', () => {
  it('keeps to it while it drains, and waits for what begins before the deadline', async () => {
    const { queue, clock, runner, begins, note, seen } = setup();
    for (let i = 0; i < 4; i += 1) await queue.enqueue(note);
    const stopped = runner.stop(new AbortController().signal);
    await clock.advance('1s');
    await stopped;
    expect(begins).toEqual([0, 0, 1_000, 1_000]);
    expect([seen.at(-1)!.type, clock.pendingTimers]).toEqual(['queue.drained', 0]);
  });

  it('names at once what could begin only after the deadline', async () => {
    const bundle = setupQueue({ rateLimit: { max: 1, per: '1m' } }, { shutdownTimeoutMs: 30_000 });
    const { queue, clock, runner, eventOf } = bundle;
    await queue.enqueue(() => {});
    const second = await queue.enqueue(() => {});
    await clock.advance(0);
    await runner.stop(new AbortController().signal);
    expect(eventOf('queue.abandoned')).toMatchObject({ waiting: [{ taskId: second.id }] });
    expect(clock.pendingTimers).toBe(0);
  });
});
