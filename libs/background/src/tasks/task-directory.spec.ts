// Long because it is one contract: what can be seen of tasks, and done to them, from outside.
import { InvalidOptionsError } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { QueueClosedError } from '../errors.js';
import { errorOf } from '../error-of.fixture.js';
import { gate } from '../gate.fixture.js';
import type { TaskContext } from '../scopes/context.js';
import type { TaskQueueOptions } from './queue.options.js';
import { defineTask } from './task-definition.js';
import { setup as setupTyped } from './typed-tasks.fixture.js';

const cook = defineTask<{ sweet: string }, string>('cook');
const stir = defineTask('stir');

function setup(options: TaskQueueOptions = {}) {
  const bundle = setupTyped(options);
  const engine = bundle.registry.engine(options.name ?? 'default');
  const idsOf = async (query: Parameters<typeof engine.search>[0] = {}) =>
    (await engine.search(query)).tasks.map(({ id }) => id);
  return { ...bundle, engine, idsOf };
}

/** A kitchen whose cook fails until it is told not to. */
async function setupDead(options: TaskQueueOptions = {}) {
  const bundle = setup(options);
  const fault = { error: new Error('burnt', { cause: new Error('too hot') }) as Error | undefined };
  bundle.handle(cook, ({ sweet }) => {
    if (fault.error !== undefined) throw fault.error;
    return `a ${sweet}`;
  });
  const enqueue = async (sweet = 'fudge') => {
    const handle = await bundle.queue.enqueue(cook, { sweet });
    await bundle.clock.advance(0);
    return handle;
  };
  return { ...bundle, fault, enqueue };
}

describe('the tasks of a queue', () => {
  it('can be found in every state that they can be in', async () => {
    const { queue, clock, engine, handle } = setup({ concurrency: 1 });
    handle(stir);
    const held = gate();
    const completed = await queue.enqueue(stir);
    await completed.result();
    const retry = { maxAttempts: 2, backoff: { delayMs: () => 60_000 } };
    const retrying = await queue.enqueue(() => Promise.reject(new Error('broken')), { retry });
    const dead = await queue.enqueue(() => Promise.reject(new Error('broken')));
    await clock.advance(0);
    const active = await queue.enqueue(() => held.opened);
    await clock.advance(0);
    const scheduled = await queue.enqueue(() => {}, { delay: '1h' });
    const cancelled = await queue.enqueue(() => {});
    await cancelled.cancel();
    const expired = await queue.enqueue(() => {}, { expiresIn: 1 });
    await clock.advance(1);
    const waiting = await queue.enqueue(() => {});
    const all = { completed, retrying, dead, active, scheduled, cancelled, expired, waiting };

    for (const [state, { id }] of Object.entries(all)) {
      expect(await queue.find(id)).toBe(all[state as keyof typeof all]);
      expect(await engine.details(id)).toMatchObject({ id, state });
    }
    expect(await engine.counts()).toEqual({
      scheduled: 1,
      waiting: 1,
      active: 1,
      retrying: 1,
      completed: 1,
      dead: 1,
      discarded: 0,
      cancelled: 1,
      expired: 1,
      heldBack: 0,
    });
    held.open();
  });

  it('are not there when nobody knows them', async () => {
    const { queue, engine } = setup();
    await queue.pause();
    await queue.enqueue(() => {}); // whose id nobody has asked for
    expect([await queue.find('undefined'), await engine.details('7')]).toEqual([undefined, undefined]);
  });

  it('are told as plain data, with all that they carry', async () => {
    const { queue, clock, engine, handle } = setup({ concurrency: 1, retry: { maxAttempts: 3 } });
    const held = gate();
    handle(cook, () => held.opened);
    const options = { tags: ['nightly'], metadata: { tenant: 7 }, priority: 2, concurrencyKey: 'stove' };
    const first = await queue.enqueue(cook, { sweet: 'fudge' }, { ...options, deduplicationKey: 'k' });
    await clock.advance('1s');
    const second = await queue.enqueue(cook, { sweet: 'toffee' }, { ...options, expiresIn: '1m' });
    expect(await engine.details(first.id)).toEqual({
      id: first.id,
      queue: 'default',
      name: 'cook',
      definition: 'cook',
      state: 'active',
      heldBack: undefined,
      priority: 2,
      attempt: 1,
      maxAttempts: 3,
      enqueuedAt: new Date('2026-01-01T00:00:00Z'),
      dueAt: undefined,
      startedAt: new Date('2026-01-01T00:00:00Z'),
      endedAt: undefined,
      expiresAt: undefined,
      deduplicationKey: 'k',
      concurrencyKey: 'stove',
      tags: ['nightly'],
      metadata: { tenant: 7 },
      progress: undefined,
      error: undefined,
      payload: { sweet: 'fudge' },
      result: undefined,
      attempts: [],
      log: [],
    });
    expect(await engine.details(second.id)).toMatchObject({
      state: 'waiting',
      attempt: 0,
      startedAt: undefined,
      expiresAt: new Date('2026-01-01T00:01:01Z'),
    });
    held.open();
  });

  it('say why they are passed over', async () => {
    const { queue, clock, engine } = setup({ concurrency: 5 });
    const held = gate();
    const keyed = { concurrencyKey: 'stove' };
    await queue.enqueue(() => held.opened, keyed);
    const second = await queue.enqueue(() => {}, keyed);
    await clock.advance(0);
    expect(await engine.details(second.id)).toMatchObject({ state: 'waiting', heldBack: 'concurrencyKey' });
    expect(await engine.counts()).toMatchObject({ waiting: 1, heldBack: 1 });
    held.open();
  });

  it('say when they are due', async () => {
    const { queue, engine, clock } = setup();
    const { id } = await queue.enqueue(() => {}, { delay: '1h' });
    await clock.advance('10m');
    expect(await engine.details(id)).toMatchObject({ dueAt: new Date('2026-01-01T01:00:00Z') });
    const never = await queue.enqueue(() => {}, { delay: Number.MAX_VALUE });
    expect((await engine.details(never.id))!.dueAt!.toISOString()).toBe('+275760-09-13T00:00:00.000Z');
  });

  it('show how far they say they have come, and what they log, through all attempts', async () => {
    const { queue, engine, clock, handle } = setup({
      retry: { maxAttempts: 2, backoff: { delayMs: () => 1_000 } },
    });
    handle(stir, (_, context: TaskContext) => {
      context.progress(context.attempt / 2, `attempt ${context.attempt}`);
      context.log(`stirs for the ${context.attempt}.`);
      if (context.attempt === 1) throw new Error('stuck');
    });
    const { id } = await queue.enqueue(stir);
    await clock.advance(0);
    expect(await engine.details(id)).toMatchObject({ state: 'retrying', progress: { value: 0.5 } });
    await clock.advance('1s');
    expect(await engine.details(id)).toMatchObject({
      state: 'completed',
      progress: { value: 1, message: 'attempt 2', at: new Date('2026-01-01T00:00:01Z') },
      log: [{ message: 'stirs for the 1.' }, { message: 'stirs for the 2.' }],
      attempts: [{ attempt: 1, outcome: 'failed', error: { message: 'stuck' } }],
    });
  });
});

describe('search', () => {
  it('pages through the newest or the oldest first, while tasks come and go', async () => {
    const { queue, engine, clock, idsOf } = setup({ concurrency: 1 });
    const held = gate();
    const handles = [await queue.enqueue(() => held.opened)];
    for (let i = 0; i < 6; i += 1) handles.push(await queue.enqueue(() => {}, { priority: i % 3 }));
    await clock.advance(0);
    const ids = handles.map(({ id }) => id);
    expect(await idsOf({ order: 'oldest' })).toEqual(ids);
    expect(await idsOf()).toEqual(ids.toReversed());

    const first = await engine.search({ limit: 3 });
    expect(first.tasks.map(({ id }) => id)).toEqual(ids.slice(4).toReversed());
    await handles[4]!.cancel(); // where the page ended
    await engine.remove({ states: ['cancelled'] });
    await queue.enqueue(() => {});
    const second = await engine.search({ limit: 3, after: first.next });
    expect(second.tasks.map(({ id }) => id)).toEqual(ids.slice(1, 4).toReversed());
    const third = await engine.search({ limit: 3, after: second.next });
    expect([third.tasks.map(({ id }) => id), third.next]).toEqual([[ids[0]], undefined]);
    held.open();
  });

  it('finds what a filter means, also by an error within', async () => {
    const { enqueue, queue, idsOf } = await setupDead();
    const { id } = await enqueue();
    await queue.pause();
    const other = await queue.enqueue(() => {}, { tags: ['t'], name: 'other' });
    expect(await idsOf({ error: 'BURNT' })).toEqual([id]);
    expect(await idsOf({ name: 'cook' })).toEqual([id]);
    expect(await idsOf({ tag: 't' })).toEqual([other.id]);
    expect(await idsOf({ states: ['waiting'] })).toEqual([other.id]);
    expect(await idsOf({ ids: [id, '7'] })).toEqual([id]);
    expect(await idsOf({ enqueuedBefore: new Date('2026-01-01T00:00:00Z') })).toEqual([]);
  });

  it('refuses nonsense, and a cursor of its own making only', async () => {
    const { engine } = setup();
    expect(await errorOf(engine.search({ limit: 0 }))).toBeInstanceOf(InvalidOptionsError);
    expect(await errorOf(engine.search({ after: 'page 2' }))).toBeInstanceOf(InvalidOptionsError);
    expect(await errorOf(engine.retry({ states: ['gone'] as never }))).toBeInstanceOf(InvalidOptionsError);
    expect(await errorOf(engine.cancel(null as never, ''))).toBeInstanceOf(InvalidOptionsError);
    expect(await errorOf(engine.remove({ name: '' }))).toBeInstanceOf(InvalidOptionsError);
  });
});

describe('a dead task', () => {
  it('keeps its error with its causes, and the attempts that led to it', async () => {
    const { enqueue, engine, clock } = await setupDead({
      retry: { maxAttempts: 2, backoff: { delayMs: () => 500 } },
    });
    const { id } = await enqueue();
    await clock.advance('1s');
    expect(await engine.details(id)).toMatchObject({
      state: 'dead',
      attempt: 2,
      payload: { sweet: 'fudge' },
      error: { name: 'Error', message: 'burnt', cause: { message: 'too hot' } },
      attempts: [
        { attempt: 1, outcome: 'failed', endedAt: new Date('2026-01-01T00:00:00Z') },
        { attempt: 2, outcome: 'failed', startedAt: new Date('2026-01-01T00:00:00.500Z') },
      ],
      startedAt: new Date('2026-01-01T00:00:00.500Z'),
      endedAt: new Date('2026-01-01T00:00:00.500Z'),
    });
  });

  it('tells of attempts that timed out or were put off, and of no more than the last fifty', async () => {
    const { queue, engine, clock, handle } = setup();
    handle(stir, (_, context: TaskContext) =>
      clock.monotonic() < 60_000
        ? context.retryAfter('1s')
        : new Promise((_, reject) =>
            context.signal.addEventListener('abort', () => reject(context.signal.reason)),
          ),
    );
    const { id } = await queue.enqueue(stir, undefined, { timeout: '1s' });
    await clock.advance('62s');
    const { attempts, state } = (await engine.details(id))!;
    expect([state, attempts.length]).toEqual(['dead', 50]);
    expect(attempts.at(-2)).toMatchObject({ attempt: 1, outcome: 'putOff', error: undefined });
    expect(attempts.at(-1)).toMatchObject({ outcome: 'timedOut', error: { code: 'TASK_TIMED_OUT' } });
  });

  it('runs once more when it is retried, with all its attempts, and is the same task', async () => {
    const { enqueue, engine, clock, fault, typesOf } = await setupDead({
      retry: { maxAttempts: 2, backoff: { delayMs: () => 500 } },
    });
    const handle = await enqueue();
    const before = handle.result();
    const failed = errorOf(before);
    await clock.advance('1s');
    expect(await failed).toBe(fault.error);

    expect(await engine.retry({ states: ['dead'] })).toBe(1);
    await clock.advance(0);
    expect(await engine.details(handle.id)).toMatchObject({ state: 'retrying', attempt: 1 });
    fault.error = undefined;
    await clock.advance('1s');
    expect(await handle.result()).toBe('a fudge');
    expect(await errorOf(before)).toMatchObject({ message: 'burnt' });
    expect((await engine.details(handle.id))!.attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 1]);
    expect(typesOf(handle.id)).toEqual([
      'task.enqueued',
      'task.started',
      'task.retrying',
      'task.started',
      'task.failed',
      'task.retried',
      'task.started',
      'task.retrying',
      'task.started',
      'task.completed',
    ]);
  });

  it('needs no room to be retried, and goes before those that are as urgent', async () => {
    const { enqueue, queue, engine, clock, fault, given } = await setupDead({ capacity: 1 });
    await enqueue('first');
    fault.error = undefined;
    await queue.pause();
    await enqueue('second');
    expect(await engine.retry({})).toBe(1);
    expect([queue.size, queue.tryEnqueue(cook, { sweet: 'third' })]).toEqual([2, undefined]);
    await queue.resume();
    await clock.advance(0);
    expect(given.slice(1)).toEqual([{ sweet: 'first' }, { sweet: 'second' }]);
  });

  it('takes its keys again when it is retried', async () => {
    const { queue, engine, clock, handle } = setup();
    handle(stir, () => Promise.reject(new Error('stuck')));
    const keys = { deduplicationKey: 'k', concurrencyKey: 'pot' };
    const first = await queue.enqueue(stir, undefined, keys);
    await clock.advance(0);
    await queue.pause();
    await engine.retry({});
    expect(await queue.enqueue(stir, undefined, keys)).toBe(first);
  });

  it.each(['discarded', 'cancelled', 'expired'] as const)(
    'is not the only one: so does a task that is %s',
    async (state) => {
      const { queue, engine, clock, handle } = setup();
      const held = gate();
      let discards = true;
      handle(stir, (_, context: TaskContext) => (discards ? context.discard('no') : 'done'));
      await queue.enqueue(() => (state === 'discarded' ? undefined : held.opened));
      const task = await queue.enqueue(stir, undefined, state === 'expired' ? { expiresIn: '1s' } : {});
      if (state === 'cancelled') await task.cancel();
      await clock.advance('1s');
      expect(await task.state()).toBe(state);
      discards = false;
      expect(await engine.retry({ states: [state] })).toBe(1);
      held.open();
      await clock.advance(0);
      expect(await task.result()).toBe('done');
    },
  );

  it('cannot be retried once it is completed, a closure, or the queue is closed', async () => {
    const { enqueue, queue, engine, clock, fault, runner } = await setupDead();
    const closure = await queue.enqueue(() => Promise.reject(new Error('broken')));
    await clock.advance(0);
    fault.error = undefined;
    await enqueue();
    expect([await closure.state(), await engine.retry({})]).toEqual(['dead', 0]);
    await runner.stop(new AbortController().signal);
    expect(await errorOf(engine.retry({}))).toBeInstanceOf(QueueClosedError);
  });

  it('is not run by two when it is retried while its work has not ended', async () => {
    const { queue, engine, clock, handle } = setup();
    const held = gate();
    handle(stir, () => held.opened);
    await queue.enqueue(stir, undefined, { timeout: '1s' });
    await clock.advance('1s');
    expect(await engine.retry({ states: ['dead'] })).toBe(0);
    held.open();
    await clock.advance(0);
    expect(await engine.retry({ states: ['dead'] })).toBe(1);
    await clock.advance(0);
  });
});

describe('cancel by a filter', () => {
  it('cancels all that have not ended, with the reason', async () => {
    const { queue, engine, clock } = setup();
    const held = gate();
    const handles = [
      await queue.enqueue(() => held.opened),
      await queue.enqueue(() => {}, { delay: '1h' }),
      await queue.enqueue(() => {}),
    ];
    await clock.advance(0);
    expect(await engine.cancel({}, 'closing time')).toBe(3);
    for (const handle of handles) {
      expect(await errorOf(handle.result())).toMatchObject({ code: 'TASK_CANCELLED', cause: 'closing time' });
    }
    expect(await engine.cancel({}, 'again')).toBe(0);
    held.open();
  });

  it('counts those once that are cancelled by who hears of it', async () => {
    const { queue, engine, events } = setup();
    await queue.pause();
    const [first, second] = [await queue.enqueue(() => {}), await queue.enqueue(() => {})];
    events.on('task.cancelled', () => void second.cancel());
    expect(await engine.cancel({}, 'x')).toBe(1);
    expect([await first.state(), await second.state()]).toEqual(['cancelled', 'cancelled']);
  });
});

describe('what has ended in memory', () => {
  it('is forgotten by remove(), which leaves the others alone', async () => {
    const { enqueue, queue, engine } = await setupDead();
    const dead = await enqueue();
    await queue.pause();
    const waiting = await queue.enqueue(cook, { sweet: 'toffee' });
    expect(await engine.remove({})).toBe(1);
    expect([await queue.find(dead.id), await queue.find(waiting.id)]).toEqual([undefined, waiting]);
    expect([await dead.state(), await errorOf(dead.result())]).toEqual([
      'dead',
      expect.objectContaining({ message: 'burnt' }),
    ]);
  });

  it('is kept only if it is a typed task, or did not complete', async () => {
    const { queue, engine, clock, handle } = setup();
    handle(cook, () => 'sweet');
    await queue.enqueue(() => 'closure');
    await queue.enqueue(() => Promise.reject(new Error('broken')), { tags: ['t'] });
    const typed = await queue.enqueue(cook, { sweet: 'fudge' });
    await clock.advance(0);
    expect(await engine.counts()).toMatchObject({ completed: 1, dead: 1 });
    expect(await engine.details(typed.id)).toMatchObject({
      result: 'sweet',
      endedAt: expect.any(Date) as Date,
    });
    const [dead] = (await engine.search({ states: ['dead'] })).tasks;
    expect(dead).toMatchObject({ definition: undefined, tags: ['t'], error: { message: 'broken' } });
  });

  it('goes when it is older than retention says', async () => {
    const { enqueue, engine, clock } = await setupDead({ retention: { dead: { age: '1h' } } });
    await enqueue();
    await clock.advance('59m');
    await enqueue();
    await clock.advance('1m');
    expect(await engine.counts()).toMatchObject({ dead: 1 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('goes when there are more than retention says', async () => {
    const { enqueue, queue, idsOf } = await setupDead({ retention: { dead: { count: 2 } } });
    const handles = [await enqueue(), await enqueue(), await enqueue()];
    expect(await idsOf({ order: 'oldest' })).toEqual(handles.slice(1).map(({ id }) => id));
    expect(await queue.find(handles[0]!.id)).toBeUndefined();
    expect(await handles[0]!.state()).toBe('dead');
  });

  it('is never more than the last thousand of a state', async () => {
    const { queue, engine } = setup({ capacity: 2_000 });
    await queue.pause();
    for (let i = 0; i < 1_001; i += 1) await queue.enqueue(() => {});
    await engine.cancel({}, 'x');
    expect(await engine.counts()).toMatchObject({ cancelled: 1_000 });
  });

  it('is not kept when retention says so', async () => {
    const { enqueue, engine } = await setupDead({ retention: { dead: { count: 0 } } });
    await enqueue();
    expect([await engine.counts(), await engine.retry({})]).toEqual([
      expect.objectContaining({ dead: 0 }),
      0,
    ]);
  });
});
