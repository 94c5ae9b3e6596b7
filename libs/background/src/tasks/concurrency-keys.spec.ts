import { describe, expect, it } from 'vitest';
import { QueueClosedError, QueueSelfWaitError, TaskExpiredError } from '../errors.js';
import { errorOf } from '../error-of.fixture.js';
import type { EnqueueOptions } from './enqueue.options.js';
import { setup as setupHeld } from './held-work.fixture.js';
import type { TaskQueueOptions } from './queue.options.js';

/** A queue that runs, work for it that ends when it is told to, and a customer of whose tasks one runs at a time. */
function setup(options: TaskQueueOptions = {}) {
  const bundle = setupHeld({ concurrency: 3, ...options });
  bundle.open();
  const { queue, clock, held } = bundle;
  const enqueue = async (name: string, more: EnqueueOptions = {}) => {
    const handle = await queue.enqueue(held(name), { name, ...more });
    await clock.advance(0);
    return handle;
  };
  const ofCustomer = (name: string, more: EnqueueOptions = {}) =>
    enqueue(name, { concurrencyKey: 'customer', ...more });
  return { ...bundle, enqueue, ofCustomer };
}

function upTo(limit: number): EnqueueOptions {
  return { concurrencyKey: { key: 'customer', limit } };
}

describe('tasks of one concurrencyKey', () => {
  it('run one at a time, and hold up nobody else', async () => {
    const { queue, ran, finish, enqueue, ofCustomer } = setup();
    for (const name of ['a', 'b', 'c']) await ofCustomer(name);
    await enqueue('other');
    expect([ran, queue.size, queue.active]).toEqual([['a', 'other'], 2, 2]);
    await finish('a');
    await finish('b');
    expect([ran, queue.size]).toEqual([['a', 'other', 'b', 'c'], 0]);
  });

  it('run as many at once as the limit of each says', async () => {
    const { ran, finish, ofCustomer } = setup({ concurrency: 9 });
    for (const name of ['a', 'b', 'c']) await ofCustomer(name, upTo(2));
    await ofCustomer('d', upTo(3));
    expect(ran).toEqual(['a', 'b', 'd']);
    await finish('d');
    expect(ran).toEqual(['a', 'b', 'd']); // two run still
    await finish('a');
    expect(ran).toEqual(['a', 'b', 'd', 'c']);
  });

  it('go by urgency, and by age among equals, when one ends', async () => {
    const { ran, finish, ofCustomer } = setup();
    await ofCustomer('first');
    await ofCustomer('late', { priority: 5 });
    await ofCustomer('usual');
    await ofCustomer('younger');
    await ofCustomer('urgent', { priority: -5 });
    for (const name of ['first', 'urgent', 'usual', 'younger']) await finish(name);
    expect(ran).toEqual(['first', 'urgent', 'usual', 'younger', 'late']);
  });

  it('do not overtake those of others that are as urgent and older', async () => {
    const { ran, finish, enqueue, ofCustomer } = setup({ concurrency: 1 });
    await ofCustomer('a');
    await enqueue('other');
    await ofCustomer('b');
    await finish('a');
    await finish('other');
    expect(ran).toEqual(['a', 'other', 'b']);
  });

  it('let the key go between two attempts', async () => {
    const { queue, clock, ran, ofCustomer } = setup();
    const failing = (): never => {
      ran.push('failing');
      throw new Error('broken');
    };
    const retry = { maxAttempts: 2, backoff: { delayMs: () => 1_000 } };
    await queue.enqueue(failing, { concurrencyKey: 'customer', retry });
    await ofCustomer('b');
    expect(ran).toEqual(['failing', 'b']);
    await clock.advance('1s');
    expect([ran, queue.size]).toEqual([['failing', 'b'], 1]);
  });

  it('count for their key as long as they run, though their place was given away', async () => {
    const { clock, ran, finish, enqueue, ofCustomer } = setup({ concurrency: 1 });
    await ofCustomer('stubborn', { timeout: '1s' });
    await ofCustomer('b');
    await enqueue('other');
    await clock.advance('2s');
    expect(ran).toEqual(['stubborn', 'other']);
    await finish('other');
    expect(ran).toEqual(['stubborn', 'other']);
    await finish('stubborn');
    expect(ran).toEqual(['stubborn', 'other', 'b']);
  });

  it('go on when the one that was to begin is cancelled, wherever it was', async () => {
    const { queue, clock, ran, finish, ofCustomer } = setup();
    await ofCustomer('a');
    const [b, c] = [await ofCustomer('b'), await ofCustomer('c')];
    await ofCustomer('d');
    await b.cancel(); // held back
    await queue.pause();
    await finish('a');
    await c.cancel(); // in line again
    await queue.resume();
    await clock.advance(0);
    expect(ran).toEqual(['a', 'd']);
  });

  it('go on when one is cancelled that was handed to a worker and has not begun', async () => {
    const { queue, clock, ran, held } = setup();
    const [first] = ['a', 'b'].map((name) => queue.tryEnqueue(held(name), { concurrencyKey: 'customer' }));
    await first!.cancel();
    await clock.advance(0);
    expect(ran).toEqual(['b']);
  });

  it('expire while they are held back', async () => {
    const { queue, clock, ofCustomer } = setup();
    await ofCustomer('a');
    const b = await ofCustomer('b', { expiresIn: '1s' });
    await clock.advance('1s');
    expect([await errorOf(b.result()), queue.size]).toEqual([expect.any(TaskExpiredError), 0]);
  });

  it('fill the queue while they are held back, so that producers wait', async () => {
    const { queue, clock, held, finish, ofCustomer } = setup({ capacity: 1 });
    await ofCustomer('a');
    await ofCustomer('b');
    expect(queue.tryEnqueue(held('c'), { concurrencyKey: 'customer' })).toBeUndefined();
    let isAccepted = false;
    void queue.enqueue(held('c'), { concurrencyKey: 'customer' }).then(() => (isAccepted = true));
    await clock.advance(0);
    expect(isAccepted).toBe(false);
    await finish('a');
    expect(isAccepted).toBe(true);
  });

  it.each(['dropOldest', 'dropNewest'] as const)(
    'can be dropped while they are held back: %s',
    async (fullMode) => {
      const { queue, finish, ran, ofCustomer } = setup({ capacity: 2, fullMode });
      for (const name of ['a', 'b', 'c', 'd']) await ofCustomer(name);
      expect(queue.size).toBe(2);
      await finish('a');
      expect(ran).toEqual(['a', fullMode === 'dropOldest' ? 'c' : 'b']);
    },
  );

  it('hold up no other producer of a queue without room', async () => {
    const { queue, clock, held, ran, finish } = setup({ capacity: 0 });
    const keyed = { concurrencyKey: 'customer' };
    void queue.enqueue(held('a'), keyed);
    void queue.enqueue(held('b'), keyed);
    void queue.enqueue(held('other'));
    await clock.advance(0);
    expect(ran).toEqual(['a', 'other']);
    await finish('a');
    expect(ran).toEqual(['a', 'other', 'b']);
  });

  it('make whenIdle() wait, and are run before the queue is drained', async () => {
    const { queue, clock, ran, finish, ofCustomer, runner } = setup();
    for (const name of ['a', 'b']) await ofCustomer(name);
    let isIdle = false;
    void queue.whenIdle().then(() => (isIdle = true));
    const stopped = runner.stop(new AbortController().signal);
    await finish('a');
    expect([isIdle, ran]).toEqual([false, ['a', 'b']]);
    await finish('b');
    await stopped;
    await clock.advance(0);
    expect(isIdle).toBe(true);
  });

  it('are named when the queue is closed while they are held back', async () => {
    const { seen, runner, ofCustomer } = setup();
    await ofCustomer('a');
    const b = await ofCustomer('b');
    await runner.stop(AbortSignal.abort());
    expect(seen.find(({ type }) => type === 'queue.abandoned')).toMatchObject({
      waiting: [{ taskId: b.id, name: 'b' }],
      running: [{ name: 'a' }],
    });
    expect(await b.state()).toBe('cancelled');
  });

  it('are dequeued one at a time', async () => {
    const { queue, clock, finish, ofCustomer, ran } = setup({ concurrency: 0 });
    for (const name of ['a', 'b']) await ofCustomer(name);
    const first = await queue.dequeue();
    let second: string | undefined;
    void queue.dequeue().then(({ name, run }) => {
      second = name;
      return run;
    });
    await clock.advance(0);
    expect(second).toBeUndefined();
    const running = first.run();
    await finish('a');
    await running;
    await clock.advance(0);
    expect([second, ran]).toEqual(['b', ['a']]);
  });

  it('are told when one of them waits for room that only its own key could give', async () => {
    const { queue, clock } = setup({ capacity: 1 });
    const keyed = { concurrencyKey: 'customer' };
    let error: unknown;
    const producer = async (): Promise<void> => {
      await queue.enqueue(() => {}, keyed);
      error = await errorOf(queue.enqueue(() => {}, keyed));
    };
    await queue.enqueue(producer, keyed);
    await clock.advance(0);
    expect(error).toBeInstanceOf(QueueSelfWaitError);
  });

  it('leave nothing of their key behind', async () => {
    const { queue, runner, finish, ofCustomer } = setup();
    await ofCustomer('a');
    await ofCustomer('b');
    await finish('a');
    await finish('b');
    await runner.stop(new AbortController().signal);
    await expect(queue.enqueue(() => {})).rejects.toThrow(QueueClosedError);
    expect([queue.size, queue.active]).toEqual([0, 0]);
  });
});
