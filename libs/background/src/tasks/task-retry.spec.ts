// Long because it is one life: every way in which an attempt ends, and what follows it.
import { ArgumentOutOfRangeError, constant, exponential, linear } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { TaskTimeoutError } from '../errors.js';
import { gate } from '../gate.fixture.js';
import { BackgroundContext } from '../scopes/background-context.js';
import type { TaskContext } from '../scopes/context.js';
import { ServiceScopeFactory, type ServiceScope } from '../scopes/scope.js';
import { heedful, setup as setupQueue } from './queue.fixture.js';
import type { TaskQueueOptions } from './queue.options.js';

/** Scopes that note when they are made and disposed. */
class NotedScopes extends ServiceScopeFactory {
  readonly notes: string[] = [];

  createScope(context?: object): ServiceScope {
    const number = this.notes.filter((note) => note.startsWith('made')).length + 1;
    this.notes.push(`made ${number} for attempt ${(context as TaskContext).attempt}`);
    return {
      contextId: { id: number },
      resolve: () => Promise.reject(new Error('nothing is provided')),
      [Symbol.asyncDispose]: () => Promise.resolve(void this.notes.push(`disposed ${number}`)),
    };
  }
}

function setup(options: TaskQueueOptions = {}) {
  const scopes = new NotedScopes();
  const retry = { maxAttempts: 3, backoff: constant('10s') };
  return { scopes, ...setupQueue({ retry, ...options }, { scopes }) };
}

/** Work that fails until its `succeedsIn`th attempt. */
function failing(succeedsIn = Infinity) {
  const contexts: TaskContext[] = [];
  const work = (context: TaskContext): string => {
    contexts.push(context);
    if (contexts.length < succeedsIn) throw new Error(`failure ${contexts.length}`);
    return 'done';
  };
  return { work, contexts };
}

describe('a task that fails', () => {
  it('is tried again after the backoff, and its result is that of the attempt that succeeds', async () => {
    const { queue, clock, typesOf, seen } = setup();
    const { work, contexts } = failing(3);
    const handle = await queue.enqueue(work);
    await clock.advance(0);
    expect([await handle.state(), queue.scheduled, queue.size, queue.active]).toEqual(['retrying', 1, 0, 0]);
    await clock.advance('9999ms');
    expect(contexts).toHaveLength(1);
    await clock.advance(1);
    expect(contexts).toHaveLength(2);
    await clock.advance('10s');
    expect(await handle.result()).toBe('done');
    expect(typesOf(handle.id)).toEqual([
      'task.enqueued',
      'task.started',
      'task.retrying',
      'task.started',
      'task.retrying',
      'task.started',
      'task.completed',
    ]);
    expect(seen.filter(({ type }) => type === 'task.retrying')).toMatchObject([
      { attempt: 1, maxAttempts: 3, delayMs: 10_000, error: { message: 'failure 1' } },
      { attempt: 2, maxAttempts: 3, delayMs: 10_000, error: { message: 'failure 2' } },
    ]);
    expect([queue.scheduled, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('is dead with its last error when no attempt is left', async () => {
    const { queue, clock, typesOf, eventOf } = setup();
    const { work, contexts } = failing();
    const handle = await queue.enqueue(work);
    await clock.advance('1h');
    await expect(handle.result()).rejects.toThrow('failure 3');
    expect([await handle.state(), contexts.length]).toEqual(['dead', 3]);
    expect(typesOf(handle.id).filter((type) => type === 'task.failed')).toHaveLength(1);
    expect(eventOf('task.failed')).toMatchObject({ attempt: 3, error: { message: 'failure 3' } });
  });

  it('knows which attempt it is, and of how many', async () => {
    const { queue, clock } = setup();
    const { work, contexts } = failing(3);
    await queue.enqueue(work);
    await clock.advance('1h');
    expect(contexts.map(({ attempt, maxAttempts }) => [attempt, maxAttempts])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    expect(new Set(contexts.map(({ id }) => id)).size).toBe(1);
  });

  it('runs once when nothing is said of retries', async () => {
    const { queue } = setupQueue();
    const { work, contexts } = failing();
    const handle = await queue.enqueue(work);
    await expect(handle.result()).rejects.toThrow('failure 1');
    expect(contexts[0]).toMatchObject({ attempt: 1, maxAttempts: 1 });
  });

  it('follows what was said when it was enqueued, and its queue for the rest', async () => {
    const { queue, clock } = setup();
    const [once, twice] = [failing(), failing()];
    await queue.enqueue(once.work, { retry: { maxAttempts: 1 } });
    await queue.enqueue(twice.work, { retry: { maxAttempts: 2, backoff: constant('1m') } });
    await clock.advance('59s');
    expect([once.contexts.length, twice.contexts.length]).toEqual([1, 1]);
    await clock.advance('1h');
    expect([once.contexts.length, twice.contexts.length]).toEqual([1, 2]);
    expect(twice.contexts[0]!.maxAttempts).toBe(2);
  });

  it.each([
    ['linear', linear({ initial: '1s', increment: '2s' }), [1_000, 3_000, 5_000]],
    ['exponential', exponential({ initial: '1s', factor: 3 }), [1_000, 3_000, 9_000]],
  ])('waits as long as its %s backoff says', async (_, backoff, delays) => {
    const { queue, clock, seen } = setup({ retry: { maxAttempts: 4, backoff } });
    await queue.enqueue(failing().work);
    await clock.advance('1h');
    const waited = seen.flatMap((event) => (event.type === 'task.retrying' ? [event.delayMs] : []));
    expect(waited).toEqual(delays);
  });

  it('frees its place meanwhile', async () => {
    const { queue, clock } = setup();
    await queue.enqueue(failing().work);
    const next = await queue.enqueue(() => 'next');
    expect(await next.result()).toBe('next');
    expect(queue.scheduled).toBe(1);
    await clock.advance('1h');
  });

  it('has a fresh scope for each attempt, and the one before is disposed first', async () => {
    const { queue, clock, scopes } = setup();
    const handle = await queue.enqueue(({ scope, attempt }) => {
      scopes.notes.push(`scope ${scope.contextId.id} in attempt ${attempt}`);
      if (attempt === 1) throw new Error('once more');
    });
    await clock.advance('10s');
    await handle.result();
    expect(scopes.notes).toEqual([
      'made 1 for attempt 1',
      'scope 1 in attempt 1',
      'disposed 1',
      'made 2 for attempt 2',
      'scope 2 in attempt 2',
      'disposed 2',
    ]);
  });

  it('has a context of its own for each attempt, which stays as it was', async () => {
    const { queue, clock } = setup({ timeout: '5s' });
    const contexts: TaskContext[] = [];
    await queue.enqueue(
      (context) => {
        contexts.push(context);
        expect(BackgroundContext.current()).toBe(context);
        return context.attempt === 1 ? heedful(context) : undefined;
      },
      { tags: ['a'], metadata: { of: 'a' }, name: 'work' },
    );
    await clock.advance('1m');
    const [first, second] = contexts as [TaskContext, TaskContext];
    expect([first.attempt, second.attempt]).toEqual([1, 2]);
    expect([first.signal.aborted, second.signal.aborted]).toEqual([true, false]);
    expect([first.maxAttempts, second.maxAttempts]).toEqual([3, 3]);
    expect(first).toMatchObject({ name: 'work', queue: 'default', tags: ['a'], metadata: { of: 'a' } });
  });

  it('is final when retryIf says that it is not worth another attempt', async () => {
    const asked: unknown[] = [];
    const retryIf = (error: unknown, attempt: number): boolean => {
      asked.push([(error as Error).message, attempt]);
      return attempt < 2;
    };
    const { queue, clock } = setup({ retry: { maxAttempts: 5, backoff: constant(1), retryIf } });
    const { work, contexts } = failing();
    const handle = await queue.enqueue(work);
    await clock.advance('1h');
    await expect(handle.result()).rejects.toThrow('failure 2');
    expect(contexts).toHaveLength(2);
    expect(asked).toEqual([
      ['failure 1', 1],
      ['failure 2', 2],
    ]);
  });

  it.each([
    ['retryIf throws', { retryIf: () => JSON.parse('?') as boolean }, SyntaxError],
    ['the backoff gives no delay', { backoff: { delayMs: () => Number.NaN } }, ArgumentOutOfRangeError],
  ])('is dead with both errors when %s', async (_, policy, type) => {
    const { queue, eventOf, clock } = setup({ retry: { maxAttempts: 3, ...policy } });
    const handle = await queue.enqueue(failing().work);
    const error: unknown = await handle.result().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AggregateError);
    const [own, other] = (error as AggregateError).errors as unknown[];
    expect(own).toMatchObject({ message: 'failure 1' });
    expect(other).toBeInstanceOf(type);
    expect(eventOf('task.failed')).toMatchObject({ error });
    expect([queue.active, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('begins again before tasks that came later and are as urgent', async () => {
    const { queue, clock } = setup();
    const held = gate();
    const order: string[] = [];
    await queue.enqueue(({ attempt }) => {
      order.push(`failing ${attempt}`);
      if (attempt === 1) throw new Error('once more');
    });
    await queue.enqueue(() => held.opened);
    await clock.advance(0);
    await queue.enqueue(() => order.push('later'));
    await queue.enqueue(() => order.push('urgent'), { priority: -1 });
    await clock.advance('10s');
    expect(queue.size).toBe(3);
    held.open();
    await queue.whenIdle();
    expect(order).toEqual(['failing 1', 'urgent', 'failing 2', 'later']);
  });

  it('needs no room in a full queue to be tried again', async () => {
    const { queue, clock } = setup({ capacity: 1, fullMode: 'dropOldest' });
    const held = gate();
    const { work } = failing(2);
    const handle = await queue.enqueue(work);
    await clock.advance(0);
    await queue.enqueue(() => held.opened);
    const waiting = await queue.enqueue(() => 'waiting');
    await clock.advance('10s');
    expect([queue.size, await handle.state(), await waiting.state()]).toEqual([2, 'waiting', 'waiting']);
    held.open();
    expect(await Promise.all([handle.result(), waiting.result()])).toEqual(['done', 'waiting']);
  });

  it('is not idle work: whenIdle waits for the last attempt', async () => {
    const { queue, clock } = setup();
    const notes: string[] = [];
    await queue.enqueue(failing().work);
    void queue.whenIdle().then(() => notes.push('idle'));
    await clock.advance('19s');
    expect(notes).toEqual([]);
    await clock.advance('1s');
    expect(notes).toEqual(['idle']);
  });

  it('is not tried again when it is cancelled before', async () => {
    const { queue, clock, typesOf } = setup();
    const { work, contexts } = failing();
    const handle = await queue.enqueue(work);
    await clock.advance(0);
    expect(await handle.cancel('enough')).toBe(true);
    expect(await handle.cancel()).toBe(false);
    await expect(handle.result()).rejects.toMatchObject({ code: 'TASK_CANCELLED', cause: 'enough' });
    expect([await handle.state(), queue.scheduled, queue.size]).toEqual(['cancelled', 0, 0]);
    expect(clock.pendingTimers).toBe(0);
    await queue.whenIdle();
    await clock.advance('1h');
    expect(contexts).toHaveLength(1);
    expect(typesOf(handle.id).slice(-2)).toEqual(['task.retrying', 'task.cancelled']);
  });

  it('is not tried again when whoever hears of the failure cancels it at once', async () => {
    const { queue, clock, events } = setup();
    const { work, contexts } = failing();
    queue.pause();
    const handle = await queue.enqueue(work);
    events.on('task.retrying', () => void handle.cancel());
    queue.resume();
    await queue.whenIdle();
    await clock.advance('1h');
    expect([contexts.length, queue.scheduled, queue.active]).toEqual([1, 0, 0]);
    await expect(handle.result()).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
  });

  it.each([true, false])('is cancelled, and ends, when retryIf cancels it and says %s', async (again) => {
    const { queue, clock, typesOf } = setup();
    const retryIf = () => {
      void handle.cancel('enough');
      return again;
    };
    queue.pause(); // until there is a handle
    const handle = await queue.enqueue(failing().work, { retry: { retryIf } });
    queue.resume();
    await queue.whenIdle();
    expect([await handle.state(), queue.active, queue.scheduled]).toEqual(['cancelled', 0, 0]);
    expect(typesOf(handle.id)).toEqual(['task.enqueued', 'task.started', 'task.cancelled']);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([true, false])('is cancelled when retryIf does so at its timeout and says %s', async (again) => {
    const { queue, clock, typesOf } = setup();
    const retryIf = () => {
      void handle.cancel('enough');
      return again;
    };
    const handle = await queue.enqueue(heedful, { timeout: '5s', retry: { retryIf } });
    await clock.advance('5s');
    await queue.whenIdle();
    expect([await handle.state(), queue.active, queue.scheduled]).toEqual(['cancelled', 0, 0]);
    expect(typesOf(handle.id)).toEqual(['task.enqueued', 'task.started', 'task.cancelled']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('stays in line, and can be cancelled, when its time comes while the queue is paused', async () => {
    const { queue, clock } = setup();
    const { work, contexts } = failing();
    const handle = await queue.enqueue(work);
    await clock.advance(0);
    queue.pause();
    await clock.advance('10s');
    expect([await handle.state(), queue.size, queue.scheduled]).toEqual(['waiting', 1, 0]);
    await handle.cancel();
    expect(queue.size).toBe(0);
    queue.resume();
    await queue.whenIdle();
    expect(contexts).toHaveLength(1);
  });

  it('comes back to those who dequeue when they run its attempts', async () => {
    const { queue, clock } = setup({ concurrency: 0 });
    const { work } = failing(2);
    const handle = await queue.enqueue(work);
    await (await queue.dequeue()).run();
    expect(await handle.state()).toBe('retrying');
    const second = queue.dequeue();
    await clock.advance('10s');
    const task = await second;
    expect(task.id).toBe(handle.id);
    await task.run();
    expect(await handle.result()).toBe('done');
  });
});

describe('a timeout with attempts left', () => {
  it('is a failure that is tried again when the work has ended', async () => {
    const { queue, clock, typesOf, seen } = setup({ timeout: '5s' });
    const handle = await queue.enqueue((context) => (context.attempt < 3 ? heedful(context) : 'in time'));
    await clock.advance('5s');
    expect(await handle.state()).toBe('retrying');
    await clock.advance('1m');
    expect(await handle.result()).toBe('in time');
    expect(typesOf(handle.id).slice(1, 5)).toEqual([
      'task.started',
      'task.timedOut',
      'task.retrying',
      'task.started',
    ]);
    const retrying = seen.find(({ type }) => type === 'task.retrying');
    expect(retrying).toMatchObject({ error: expect.any(TaskTimeoutError) as never });
  });

  it('begins no further attempt before the last one has really ended, and counts its delay from there', async () => {
    const { queue, clock, eventOf } = setup({ timeout: '5s' });
    const held = gate();
    const began: number[] = [];
    const handle = await queue.enqueue(({ attempt }) => {
      began.push(clock.monotonic());
      return attempt === 1 ? held.opened : undefined;
    });
    await clock.advance('1m');
    expect([began, await handle.state(), queue.active]).toEqual([[0], 'active', 1]);
    expect(eventOf('task.overran')).toBeDefined();
    held.open();
    await clock.advance('9999ms');
    expect(await handle.state()).toBe('retrying');
    await clock.advance(1);
    expect(began).toEqual([0, 70_000]);
    await handle.result();
  });

  it('lets its place go to the next task after the grace, once, when it is cancelled as well', async () => {
    const { queue, clock, seen } = setup({ timeout: '5s' });
    const held = gate();
    const stubborn = await queue.enqueue(() => held.opened);
    const others = [gate(), gate()];
    for (const other of others) await queue.enqueue(() => other.opened, { timeout: 'infinite' });
    await clock.advance('5500ms');
    await stubborn.cancel();
    await clock.advance('10s');
    expect(queue.active).toBe(2);
    expect(seen.filter(({ type }) => type === 'task.overran')).toHaveLength(1);
    held.open();
    for (const other of others) other.open();
    await queue.whenIdle();
    await expect(stubborn.result()).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
  });

  it('is dead at once when it was the last attempt', async () => {
    const { queue, clock } = setup({ timeout: '5s' });
    const held = gate();
    const handle = await queue.enqueue((context) => (context.attempt < 3 ? heedful(context) : held.opened));
    await clock.advance('35s');
    expect(await handle.state()).toBe('dead');
    await expect(handle.result()).rejects.toBeInstanceOf(TaskTimeoutError);
    held.open();
    await queue.whenIdle();
  });
});

describe('outcomes that work returns', () => {
  it('runs the task again after the delay, and uses up no attempt, when it returns retryAfter', async () => {
    const { queue, clock, seen } = setup();
    const attempts: number[] = [];
    const handle = await queue.enqueue(async (context) => {
      attempts.push(context.attempt);
      return attempts.length < 6 ? context.retryAfter('1m') : 'at last';
    });
    await clock.advance('4m');
    expect([await handle.state(), queue.scheduled]).toEqual(['retrying', 1]);
    await clock.advance('1m');
    const result: string = await handle.result();
    expect([result, attempts]).toEqual(['at last', [1, 1, 1, 1, 1, 1]]);
    expect(seen.find(({ type }) => type === 'task.retrying')).toMatchObject({
      attempt: 1,
      delayMs: 60_000,
      error: undefined,
    });
  });

  it('works without retries being set up, when it returns retryAfter', async () => {
    const { queue, clock } = setupQueue();
    const seen: number[] = [];
    const handle = await queue.enqueue((context) => (seen.push(1) < 2 ? context.retryAfter(5) : 'second'));
    await clock.advance(5);
    expect(await handle.result()).toBe('second');
  });

  it('fails when it asks for what is no delay', async () => {
    const { queue } = setupQueue();
    const handle = await queue.enqueue((context) => context.retryAfter('soon'));
    await expect(handle.result()).rejects.toMatchObject({ code: 'ARGUMENT_OUT_OF_RANGE', argument: 'delay' });
  });

  it('is discarded, and not tried again, when it returns discard', async () => {
    const { queue, clock, typesOf, eventOf } = setup();
    const handle = await queue.enqueue((context) => context.discard('no such order'));
    await expect(handle.result()).rejects.toMatchObject({
      code: 'TASK_DISCARDED',
      cause: 'no such order',
      message: expect.stringContaining('no such order') as never,
    });
    expect(await handle.state()).toBe('discarded');
    expect(typesOf(handle.id)).toEqual(['task.enqueued', 'task.started', 'task.discarded']);
    expect(eventOf('task.discarded')).toMatchObject({ reason: 'no such order' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives no result but that of the work, in the types as well, when outcomes are returned', async () => {
    const { queue } = setupQueue();
    const handle = await queue.enqueue(async (context) =>
      context.attempt > 1 ? context.discard() : { width: 5 },
    );
    const { width }: { width: number } = await handle.result();
    expect(width).toBe(5);
  });
});
