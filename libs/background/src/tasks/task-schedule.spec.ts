// Long because it is one contract: every option that says when, whether and in which order a task runs.
import { describe, expect, it } from 'vitest';
import { TaskExpiredError } from '../errors.js';
import { gate } from '../gate.fixture.js';
import { setup } from './queue.fixture.js';

/** A queue without room whose worker is busy, and what producers that wait for it need. */
async function setupBusy() {
  const { queue, clock } = setup({ capacity: 0 });
  const held = gate();
  await queue.enqueue(() => held.opened);
  const ran: string[] = [];
  return { queue, clock, held, leaving: new AbortController(), ran, key: { deduplicationKey: 'k' } };
}

describe('a task with a delay', () => {
  it('is scheduled at first, and begins when the delay is over', async () => {
    const { queue, clock, typesOf, eventOf } = setup();
    const handle = await queue.enqueue(() => clock.monotonic(), { delay: '1m' });
    expect([await handle.state(), queue.scheduled, queue.size]).toEqual(['scheduled', 1, 0]);
    await clock.advance('59999ms');
    expect(await handle.state()).toBe('scheduled');
    await clock.advance(1);
    expect(await handle.result()).toBe(60_000);
    expect(typesOf(handle.id)).toEqual(['task.enqueued', 'task.scheduled', 'task.started', 'task.completed']);
    expect(eventOf('task.scheduled')).toMatchObject({ runAt: new Date('2026-01-01T00:01:00Z') });
    expect([queue.scheduled, clock.pendingTimers]).toEqual([0, 0]);
  });

  it.each([
    ['a date', new Date('2026-01-01T01:00:00Z')],
    ['milliseconds', Date.UTC(2026, 0, 1, 1)],
  ])('begins at the time that runAt gives as %s', async (_, runAt) => {
    const { queue, clock } = setup();
    const handle = await queue.enqueue(() => new Date(clock.now()).toISOString(), { runAt });
    await clock.advance('1h');
    expect(await handle.result()).toBe('2026-01-01T01:00:00.000Z');
  });

  it.each([{ delay: 0 }, { runAt: 0 }, { runAt: new Date('2026-01-01T00:00:00Z') }])(
    'is like any other when its time has come already: %j',
    async (options) => {
      const { queue, typesOf } = setup();
      const handle = await queue.enqueue(() => 'now', options);
      expect(await handle.result()).toBe('now');
      expect(typesOf(handle.id)).toEqual(['task.enqueued', 'task.started', 'task.completed']);
    },
  );

  it('tells the last date there is when its time is beyond it', async () => {
    const { queue, eventOf } = setup();
    const handle = await queue.enqueue(() => {}, { runAt: Number.MAX_VALUE });
    expect(eventOf('task.scheduled')!.runAt.toISOString()).toBe('+275760-09-13T00:00:00.000Z');
    await handle.cancel();
  });

  it('begins in the order in which tasks fall due, with one timer for all', async () => {
    const { queue, clock } = setup();
    const order: string[] = [];
    for (const [name, delay] of Object.entries({ c: 30, a: 10, d: 30, b: 20 })) {
      await queue.enqueue(() => order.push(name), { delay });
    }
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(10);
    expect([order, clock.pendingTimers, queue.scheduled]).toEqual([['a'], 1, 3]);
    await clock.advance(20);
    expect([order, clock.pendingTimers, queue.scheduled]).toEqual([['a', 'b', 'c', 'd'], 0, 0]);
  });

  it('needs no room, neither before it is due nor then', async () => {
    const { queue, clock } = setup({ capacity: 1 });
    const held = gate();
    await queue.enqueue(() => held.opened);
    await queue.enqueue(() => {});
    const later = queue.tryEnqueue(() => 'later', { delay: '1s' });
    expect(await later!.state()).toBe('scheduled');
    await clock.advance('1s');
    expect([await later!.state(), queue.size]).toEqual(['waiting', 2]);
    held.open();
    expect(await later!.result()).toBe('later');
  });

  it('is nothing that whenIdle waits for, until its time has come', async () => {
    const { queue, clock } = setup();
    const held = gate();
    const handle = await queue.enqueue(() => held.opened, { delay: '1s' });
    await queue.whenIdle();
    await clock.advance('1s');
    const notes: string[] = [];
    void queue.whenIdle().then(() => notes.push('idle'));
    await clock.advance('1s');
    expect(notes).toEqual([]);
    held.open();
    await handle.result();
    await clock.advance(0);
    expect(notes).toEqual(['idle']);
  });

  it('never runs, and leaves no timer, when it is cancelled', async () => {
    const { queue, clock, typesOf } = setup();
    const [first, second] = [
      await queue.enqueue(() => 'first', { delay: '1s' }),
      await queue.enqueue(() => 'second', { delay: '2s' }),
    ];
    expect(await first.cancel('changed my mind')).toBe(true);
    await expect(first.result()).rejects.toMatchObject({ code: 'TASK_CANCELLED', cause: 'changed my mind' });
    expect([await first.state(), queue.scheduled]).toEqual(['cancelled', 1]);
    expect(clock.nextTimerAt).toBe(2_000);
    await clock.advance('2s');
    expect(await second.result()).toBe('second');
    expect(typesOf(first.id)).toEqual(['task.enqueued', 'task.scheduled', 'task.cancelled']);
  });

  it('is forgotten by the timetable when very many are scheduled and cancelled', async () => {
    const { queue, clock } = setup();
    const kept = await queue.enqueue(() => 'kept', { delay: '2h' });
    for (let i = 0; i < 1_000; i += 1) {
      const handle = await queue.enqueue(() => {}, { delay: `${i + 1}m` });
      await handle.cancel();
    }
    expect([queue.scheduled, clock.pendingTimers, clock.nextTimerAt]).toEqual([1, 1, 7_200_000]);
    await clock.advance('2h');
    expect(await kept.result()).toBe('kept');
  });

  it('waits in line when the queue is paused or all places are taken', async () => {
    const { queue, clock } = setup();
    queue.pause();
    const handle = await queue.enqueue(() => 'ran', { delay: 5 });
    await clock.advance(5);
    expect([await handle.state(), queue.size]).toEqual(['waiting', 1]);
    queue.resume();
    expect(await handle.result()).toBe('ran');
  });

  it('goes to those who dequeue when it falls due', async () => {
    const { queue, clock } = setup({ concurrency: 0 });
    const handle = await queue.enqueue(() => 'ran', { delay: 5 });
    const dequeued = queue.dequeue();
    await clock.advance(5);
    await (await dequeued).run();
    expect(await handle.result()).toBe('ran');
  });
});

describe('priority', () => {
  it('lets the smallest number run first, and the first come first among equals', async () => {
    const { queue, clock } = setup();
    const held = gate();
    const order: string[] = [];
    await queue.enqueue(() => held.opened);
    const tasks: [string, number | undefined][] = [
      ['a', undefined],
      ['b', 5],
      ['c', -5],
      ['d', 0],
      ['e', 5],
      ['f', -5],
    ];
    for (const [name, priority] of tasks) await queue.enqueue(() => order.push(name), { priority });
    held.open();
    await clock.advance(0);
    expect(order).toEqual(['c', 'f', 'a', 'd', 'b', 'e']);
  });

  it('orders what falls due among what waits', async () => {
    const { queue, clock } = setup();
    const held = gate();
    const order: string[] = [];
    await queue.enqueue(() => held.opened);
    await queue.enqueue(() => order.push('waits'));
    await queue.enqueue(() => order.push('waits, urgent'), { priority: -1 });
    await queue.enqueue(() => order.push('due, later'), { delay: 2, priority: 1 });
    await queue.enqueue(() => order.push('due'), { delay: 2 });
    await queue.enqueue(() => order.push('due, urgent'), { delay: 2, priority: -1 });
    await clock.advance(2);
    expect(queue.size).toBe(5);
    held.open();
    await queue.whenIdle();
    expect(order).toEqual(['due, urgent', 'waits, urgent', 'due', 'waits', 'due, later']);
  });

  it('keeps its order when an urgent task is cancelled', async () => {
    const { queue, clock } = setup();
    queue.pause();
    const order: number[] = [];
    const handles = [];
    for (const priority of [3, 1, 2, 0, 4])
      handles.push(await queue.enqueue(() => order.push(priority), { priority }));
    for (const index of [1, 3]) await handles[index]!.cancel();
    expect(queue.size).toBe(3);
    queue.resume();
    await clock.advance(0);
    expect(order).toEqual([2, 3, 4]);
  });

  it('does not decide what a full queue drops: that goes by age', async () => {
    const dropped: string[] = [];
    const { queue, clock } = setup({
      capacity: 2,
      fullMode: 'dropOldest',
      onDropped: ({ name }) => void dropped.push(name),
    });
    queue.pause();
    for (const [name, priority] of Object.entries({ cancelled: 9, urgent: -1, lax: 1, last: 0 })) {
      await clock.advance(1);
      const handle = await queue.enqueue(() => {}, { name, priority });
      if (name === 'cancelled') await handle.cancel();
    }
    expect(dropped).toEqual(['urgent']);
  });
});

describe('expiresIn', () => {
  it('gives up a task that has not begun by then', async () => {
    const { queue, clock, typesOf, eventOf } = setup();
    const held = gate();
    await queue.enqueue(() => held.opened);
    const handle = await queue.enqueue(() => 'too late', { expiresIn: '5s' });
    await clock.advance('4999ms');
    expect(await handle.state()).toBe('waiting');
    await clock.advance(1);
    await expect(handle.result()).rejects.toBeInstanceOf(TaskExpiredError);
    await expect(handle.result()).rejects.toMatchObject({ code: 'TASK_EXPIRED', expiresInMs: 5_000 });
    expect([await handle.state(), queue.size, await handle.cancel()]).toEqual(['expired', 0, false]);
    held.open();
    await queue.whenIdle();
    expect(typesOf(handle.id)).toEqual(['task.enqueued', 'task.expired']);
    expect(eventOf('task.expired')).toMatchObject({ expiresInMs: 5_000 });
  });

  it('has no effect on a task that has begun, nor between its attempts, and leaves no timer', async () => {
    const { queue, clock } = setup();
    const handle = await queue.enqueue(
      ({ attempt, retryAfter }) => (attempt === 1 && clock.monotonic() < 10_000 ? retryAfter('10s') : 'ran'),
      { expiresIn: '5s' },
    );
    await clock.advance(0);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance('10s');
    expect([await handle.result(), clock.pendingTimers]).toEqual(['ran', 0]);
  });

  it('counts from when the task is enqueued, also when it is scheduled', async () => {
    const { queue, clock } = setup();
    const handle = await queue.enqueue(() => {}, { delay: '10s', expiresIn: '5s' });
    await clock.advance('5s');
    expect([await handle.state(), queue.scheduled, clock.pendingTimers]).toEqual(['expired', 0, 0]);
    await queue.whenIdle();
  });

  it('counts while the producer waits for room, and takes effect when that is over', async () => {
    const { queue, clock, typesOf } = setup({ capacity: 1 });
    const gates = [gate(), gate()];
    for (const { opened } of gates) await queue.enqueue(() => opened);
    const [late, inTime] = [
      queue.enqueue(() => 'late', { expiresIn: '5s' }),
      queue.enqueue(() => 'in time', { expiresIn: '10s' }),
    ];
    await clock.advance('6s');
    gates[0]!.open();
    await clock.advance(0);
    expect(await (await late).state()).toBe('expired');
    expect(typesOf((await late).id)).toEqual(['task.enqueued', 'task.expired']);
    await clock.advance('3999ms');
    gates[1]!.open();
    await clock.advance(0);
    expect(await (await inTime).result()).toBe('in time');
    await queue.whenIdle();
    expect([queue.size, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('leaves no timer when the task is cancelled, refused or dropped', async () => {
    const { queue, clock } = setup({ capacity: 1, fullMode: 'wait' });
    queue.pause();
    const handle = await queue.enqueue(() => {}, { expiresIn: '1h' });
    expect(queue.tryEnqueue(() => {}, { expiresIn: '1m' })).toBeUndefined();
    expect(clock.nextTimerAt).toBe(3_600_000);
    await handle.cancel();
    expect(clock.pendingTimers).toBe(0);
    const dropping = setup({ capacity: 0, fullMode: 'dropWrite' });
    dropping.queue.pause();
    await dropping.queue.enqueue(() => {}, { expiresIn: '1h' });
    expect(dropping.clock.pendingTimers).toBe(0);
  });

  it('gives up a task that was dequeued and not run', async () => {
    const { queue, clock } = setup({ concurrency: 0 });
    const ran: string[] = [];
    const handle = await queue.enqueue(() => ran.push('ran'), { expiresIn: 5 });
    const task = await queue.dequeue();
    await clock.advance(5);
    await task.run();
    expect([ran, await handle.state()]).toEqual([[], 'expired']);
    await queue.whenIdle();
  });
});

describe('deduplicationKey', () => {
  it('gives the handle of the task that is there, until that has come to its end', async () => {
    const { queue, clock, seen } = setup({ retry: { maxAttempts: 2, backoff: { delayMs: () => 10 } } });
    const held = gate();
    const ran: string[] = [];
    const key = { deduplicationKey: 'report' };
    const first = await queue.enqueue(
      async ({ attempt }) => {
        ran.push(`first ${attempt}`);
        await held.opened;
        if (attempt === 1) throw new Error('once more');
      },
      { ...key, delay: '1s' },
    );
    const twins = async () => [
      await queue.enqueue(() => ran.push('twin'), key),
      queue.tryEnqueue(() => {}, key),
    ];
    expect(await twins()).toEqual([first, first]); // scheduled
    queue.pause();
    await clock.advance('1s');
    expect(await twins()).toEqual([first, first]); // waiting
    queue.resume();
    await clock.advance(0);
    expect(await twins()).toEqual([first, first]); // active
    held.open();
    await clock.advance(0);
    expect(await first.state()).toBe('retrying');
    expect(await twins()).toEqual([first, first]);
    await clock.advance(10);
    await first.result();
    expect(ran).toEqual(['first 1', 'first 2']);
    const event = { type: 'task.deduplicated', taskId: first.id, key: 'report' };
    expect(seen.filter(({ type }) => type === 'task.deduplicated')).toHaveLength(8);
    expect(seen).toContainEqual(expect.objectContaining(event));

    const second = await queue.enqueue(() => 'second', key);
    expect(second).not.toBe(first);
    expect(await second.result()).toBe('second');
  });

  it.each([
    ['cancelled', { delay: '1s' }],
    ['expired', { delay: '1s', expiresIn: 5 }],
  ])('is free again when the task is %s', async (state, options) => {
    const { queue, clock } = setup();
    const first = await queue.enqueue(() => {}, { deduplicationKey: 'k', ...options });
    if (state === 'cancelled') await first.cancel();
    await clock.advance(5);
    expect(await first.state()).toBe(state);
    expect(await queue.enqueue(() => {}, { deduplicationKey: 'k' })).not.toBe(first);
  });

  it('is free again when the task is dropped or refused', async () => {
    const { queue } = setup({ capacity: 1, fullMode: 'dropWrite' });
    queue.pause();
    await queue.enqueue(() => {});
    await queue.enqueue(() => {}, { deduplicationKey: 'k' });
    const tried = queue.tryEnqueue(() => {}, { deduplicationKey: 'k' });
    expect(tried).toBeUndefined();
    queue.resume();
    await queue.whenIdle();
    expect(await (await queue.enqueue(() => 'ran', { deduplicationKey: 'k' })).result()).toBe('ran');
  });

  it('is free again when the task is dead, although its work goes on', async () => {
    const { queue, clock } = setup({ timeout: '1s', concurrency: 2 });
    const held = gate();
    const first = await queue.enqueue(() => held.opened, { deduplicationKey: 'k' });
    await clock.advance('1s');
    const second = await queue.enqueue(() => held.opened, { deduplicationKey: 'k', timeout: 'infinite' });
    expect(second).not.toBe(first);
    held.open();
    await queue.whenIdle();
    await expect(first.result()).rejects.toMatchObject({ code: 'TASK_TIMED_OUT' });
  });

  it('gives the handle when the first gets in, while the producer of that waits for room', async () => {
    const { queue, clock, eventOf } = setup({ capacity: 0 });
    const held = gate();
    const ran: string[] = [];
    const key = { deduplicationKey: 'k' };
    await queue.enqueue(() => held.opened);
    const first = queue.enqueue(() => ran.push('first'), key);
    const twins = [1, 2].map(() => queue.enqueue(() => ran.push('twin'), key));
    expect(queue.tryEnqueue(() => ran.push('tried'), key)).toBeUndefined();
    held.open();
    await clock.advance(0);
    expect(await Promise.all(twins)).toEqual([await first, await first]);
    expect([ran, eventOf('task.deduplicated')]).toMatchObject([['first'], { key: 'k' }]);
    await queue.whenIdle();
  });

  it('lets the next producer try for itself when the first gives up waiting for room', async () => {
    const { queue, clock, held, leaving, ran, key } = await setupBusy();
    const first = queue.enqueue(() => ran.push('first'), { ...key, signal: leaving.signal });
    const second = queue.enqueue(() => ran.push('second'), { ...key, signal: new AbortController().signal });
    const third = queue.enqueue(() => ran.push('third'), key);
    leaving.abort(new Error('left'));
    await expect(first).rejects.toThrow('left');
    held.open();
    await clock.advance(0);
    expect(await third).toBe(await second);
    expect(ran).toEqual(['second']);
    await queue.whenIdle();
  });

  it('lets the producer of another one give up waiting as well', async () => {
    const { queue, clock, held, leaving, ran, key } = await setupBusy();
    const both = { ...key, signal: leaving.signal };
    const [first, second] = [
      queue.enqueue(() => ran.push('1'), key),
      queue.enqueue(() => ran.push('2'), both),
    ];
    const [third, fourth] = [
      queue.enqueue(() => ran.push('3'), both),
      queue.enqueue(() => ran.push('4'), key),
    ];
    const gone = [second, third].map((each) => expect(each).rejects.toThrow('left'));
    leaving.abort(new Error('left'));
    await Promise.all(gone);
    held.open();
    await clock.advance(0);
    expect(await fourth).toBe(await first);
    expect(ran).toEqual(['1']);
    await queue.whenIdle();
  });

  it('does not reach from one queue to another', async () => {
    const [one, other] = [setup(), setup()];
    const options = { deduplicationKey: 'k', delay: '1s' };
    const first = await one.queue.enqueue(() => {}, options);
    expect(await other.queue.enqueue(() => {}, options)).not.toBe(first);
  });
});

describe('tags', () => {
  it('are what the work finds, copied', async () => {
    const { queue } = setup();
    const tags = ['nightly'];
    const handle = await queue.enqueue((context) => context.tags, { tags });
    tags.push('later');
    expect(await handle.result()).toEqual(['nightly']);
    expect(await (await queue.enqueue((context) => context.tags)).result()).toEqual([]);
  });
});
