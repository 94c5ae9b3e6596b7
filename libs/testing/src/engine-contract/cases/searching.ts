import assert from 'node:assert/strict';
import type { TaskFilter, TaskState } from 'nestjs-nightshift';
import { constant } from 'nestjs-nightshift/channels';
import { casesOf } from '../contract-case.js';

export const searching = casesOf('searching', (write) => {
  write(
    'a record tells what is known of a task',
    ['search', 'priority', 'expiresIn', 'deduplicationKey', 'concurrencyKey'],
    async (stage) => {
      const held = stage.hold();
      const { queue, engine } = await stage.start();
      const now = stage.time.clock.now();
      const handle = await queue.enqueue(held.definition, 'a', {
        name: 'my task',
        priority: 3,
        delay: stage.moment,
        expiresIn: stage.moment * 9,
        deduplicationKey: 'dk',
        concurrencyKey: 'ck',
        tags: ['t1', 't2'],
        metadata: { tenant: { id: 7 } },
        retry: { maxAttempts: 4 },
      });
      const { tasks } = await engine.search({});
      const [record] = tasks;
      assert.ok(record !== undefined);
      const near = (date: Date | undefined, ms: number) =>
        date && Math.abs(date.getTime() - ms) < stage.moment / 2;
      assert.ok(near(record.enqueuedAt, now));
      assert.ok(near(record.dueAt, now + stage.moment));
      assert.ok(near(record.expiresAt, now + stage.moment * 9));
      const { enqueuedAt: _1, dueAt: _2, expiresAt: _3, ...rest } = record;
      assert.deepEqual(plain(rest), {
        id: handle.id,
        queue: queue.name,
        name: 'my task',
        definition: 'held',
        state: 'scheduled',
        heldBack: undefined,
        priority: 3,
        attempt: 0,
        maxAttempts: 4,
        startedAt: undefined,
        endedAt: undefined,
        deduplicationKey: 'dk',
        concurrencyKey: 'ck',
        tags: ['t1', 't2'],
        metadata: { tenant: { id: 7 } },
        progress: undefined,
        error: undefined,
      });
      const details = await engine.details(handle.id);
      assert.deepEqual(plain([details?.payload, details?.result, details?.attempts, details?.log]), [
        'a',
        undefined,
        [],
        [],
      ]);
      assert.equal(await engine.details('nothing'), undefined);
    },
  );

  write('a record follows the task through its life', ['search'], async (stage) => {
    const held = stage.hold('held', { retry: { maxAttempts: 2, backoff: constant(stage.moment) } });
    const { queue, engine } = await stage.start();
    const { id } = await queue.enqueue(held.definition, 'a');
    const at = async (state: TaskState) => {
      await stage.time.until(`it is ${state}`, async () => (await engine.details(id))?.state === state);
      return (await engine.details(id))!;
    };
    await stage.begun(held, 'a');
    const active = await at('active');
    assert.deepEqual(
      [active.attempt, active.startedAt instanceof Date, active.endedAt],
      [1, true, undefined],
    );
    held.fail('a', new RangeError('not yet'));
    const retrying = await at('retrying');
    assert.deepEqual([retrying.attempt, retrying.dueAt instanceof Date], [1, true]);
    assert.equal(retrying.error?.message, 'not yet');
    await stage.time.advance(stage.moment * 2);
    await stage.begun(held, 'a', 'a');
    assert.equal((await at('active')).attempt, 2);
    held.finish('a', 'done');
    const completed = await at('completed');
    assert.deepEqual([completed.attempt, completed.result], [2, 'done']);
    assert.deepEqual([completed.endedAt instanceof Date, completed.dueAt], [true, undefined]);
  });

  write('a filter finds those that fit all that it says', ['search'], async (stage) => {
    const held = stage.hold();
    const fail = stage.define<string, void>('fail', (message) => {
      throw new RangeError(message);
    });
    const { queue, engine } = await stage.start({ concurrency: 5 });
    const dead = await queue.enqueue(fail, 'Connection REFUSED by 10.0.0.1');
    await stage.inState(dead, 'dead');
    await stage.time.advance(stage.moment);
    const between = new Date(stage.time.clock.now());
    await stage.time.advance(stage.moment);
    const running = await queue.enqueue(held.definition, 'a', { tags: ['red', 'round'] });
    await stage.begun(held, 'a');
    const later = await queue.enqueue(held.definition, 'b', {
      name: 'special',
      tags: ['red'],
      delay: '1h',
    });
    const found = async (filter: TaskFilter) =>
      (await engine.search({ ...filter, order: 'oldest' })).tasks.map(({ id }) => id);
    const [d, r, l] = [dead.id, running.id, later.id];
    assert.deepEqual(await found({}), [d, r, l]);
    assert.deepEqual(await found({ ids: [l, d, 'nothing'] }), [d, l]);
    assert.deepEqual(await found({ ids: [] }), []);
    assert.deepEqual(await found({ states: ['active', 'scheduled'] }), [r, l]);
    assert.deepEqual(await found({ states: [] }), []);
    assert.deepEqual(await found({ name: 'special' }), [l]);
    assert.deepEqual(await found({ name: 'held' }), [r, l]);
    assert.deepEqual(await found({ tag: 'red' }), [r, l]);
    assert.deepEqual(await found({ tag: 'round' }), [r]);
    assert.deepEqual(await found({ tag: 'r' }), []);
    assert.deepEqual(await found({ error: 'connection refused' }), [d]);
    assert.deepEqual(await found({ error: 'rangeerror' }), [d]);
    assert.deepEqual(await found({ error: '%' }), []);
    assert.deepEqual(await found({ enqueuedBefore: between }), [d]);
    assert.deepEqual(await found({ enqueuedAfter: between }), [r, l]);
    assert.deepEqual(await found({ tag: 'red', states: ['active'] }), [r]);
    assert.deepEqual(await found({ tag: 'red', error: 'refused' }), []);
  });

  write(
    'a page ends where the next begins, in both orders, whatever comes meanwhile',
    ['search'],
    async (stage) => {
      const held = stage.hold();
      const { queue, engine } = await stage.start({ capacity: 100 });
      await queue.pause();
      const names = Array.from({ length: 25 }, (_, index) => String(index));
      const ids = (await queue.enqueueMany(held.definition, names)).map(({ id }) => id);
      for (const order of ['newest', 'oldest'] as const) {
        const seen: string[] = [];
        let after: string | undefined;
        do {
          const page = await engine.search({ limit: 10, order, after });
          assert.ok(page.tasks.length <= 10);
          seen.push(...page.tasks.map(({ id }) => id));
          after = page.next;
          if (order === 'newest') await queue.enqueue(held.definition, 'one more');
        } while (after !== undefined);
        const expected = order === 'oldest' ? ids : ids.toReversed();
        assert.deepEqual(seen.slice(0, 25), expected);
      }
      const removed = (await engine.search({ limit: 10, order: 'oldest' })).tasks.at(-1)!;
      const first = await engine.search({ limit: 10, order: 'oldest' });
      await engine.cancel({ ids: [removed.id] }, 'gone');
      await engine.remove({ ids: [removed.id] });
      const second = await engine.search({ limit: 10, order: 'oldest', after: first.next });
      assert.deepEqual(
        second.tasks.map(({ id }) => id),
        ids.slice(10, 20),
      );
    },
  );

  write('a page has 50 tasks unless the query says otherwise', ['search'], async (stage) => {
    const held = stage.hold();
    const { queue, engine } = await stage.start({ capacity: 100 });
    await queue.pause();
    await queue.enqueueMany(
      held.definition,
      Array.from({ length: 60 }, (_, index) => String(index)),
    );
    assert.equal((await engine.search({})).tasks.length, 50);
    const all = await engine.search({ limit: 60 });
    assert.deepEqual([all.tasks.length, all.next], [60, undefined]);
  });

  write('a wrong query is refused', ['search'], async (stage) => {
    const { engine } = await stage.start();
    for (const query of [
      { limit: 0 },
      { limit: 1_001 },
      { limit: 1.5 },
      { order: 'random' },
      { after: "p1' OR 1=1" },
      { after: '' },
      { states: ['asleep'] },
      { ids: [1] },
      { name: '' },
      { enqueuedAfter: new Date(Number.NaN) },
      { nmae: 'x' },
    ])
      await stage.rejection((async () => engine.search(query as never))(), 'INVALID_OPTIONS');
    for (const call of [
      async () => engine.cancel({ state: 'dead' } as never, undefined),
      async () => engine.retry({ limit: 1 } as never),
      async () => engine.remove({ ids: 'x' } as never),
    ])
      await stage.rejection(call(), 'INVALID_OPTIONS');
  });

  write('the counts say how many tasks there are in each state', ['search'], async (stage) => {
    const held = stage.hold('held', { retry: { maxAttempts: 2, backoff: constant(stage.moment * 9) } });
    const fail = stage.define<string, void>('fail', () => {
      throw new Error('final');
    });
    const discard = stage.define<string, void>('discard', (_, context) => context.discard());
    const echo = stage.define<string, void>('echo', () => undefined);
    const { queue, engine } = await stage.start({ concurrency: 2 });
    const ends = [
      await queue.enqueue(echo, 'x'),
      await queue.enqueue(fail, 'x'),
      await queue.enqueue(discard, 'x'),
    ];
    for (const [index, state] of (['completed', 'dead', 'discarded'] as const).entries())
      await stage.inState(ends[index]!, state);
    await queue.enqueue(held.definition, 'retried');
    await stage.begun(held, 'retried');
    held.fail('retried', new Error('not yet'));
    await stage.time.until('it is put off', async () => (await engine.counts()).retrying === 1);
    await queue.enqueueMany(held.definition, ['a', 'b', 'c']);
    await (await queue.enqueue(held.definition, 'd')).cancel();
    await queue.enqueue(held.definition, 'e', { delay: stage.moment * 9 });
    await stage.begun(held, 'retried', 'a', 'b');
    assert.deepEqual(plain(await engine.counts()), {
      scheduled: 1,
      waiting: 1,
      active: 2,
      retrying: 1,
      completed: 1,
      dead: 1,
      discarded: 1,
      cancelled: 1,
      expired: 0,
      heldBack: 0,
    });
    await stage.time.until(
      'the queue knows it too, as far as one process can',
      () => queue.size === 1 && queue.active === 2 && queue.scheduled === 2,
    );
  });

  write('the counts agree with what a search finds, whatever has happened', ['search'], async (stage) => {
    const work = stage.define<number, void>('work', (number, context) => {
      if (number % 5 === 0) throw new Error('fails');
      if (number % 7 === 0) return context.discard();
      return number % 11 === 0 ? context.retryAfter(stage.moment * 50) : undefined;
    });
    const { queue, engine } = await stage.start({ concurrency: 7, capacity: 200 });
    const numbers = Array.from({ length: 90 }, (_, index) => index);
    const handles = await queue.enqueueMany(work, numbers);
    for (const index of [3, 10, 50]) await handles[index]!.cancel();
    await stage.time.until('all have run', async () => {
      const { waiting, active } = await engine.counts();
      return waiting + active === 0;
    });
    await engine.remove({ ids: handles.slice(0, 9).map(({ id }) => id) });
    await engine.retry({ ids: handles.slice(20, 31).map(({ id }) => id) });
    await stage.time.until('all have run again', async () => {
      const { waiting, active } = await engine.counts();
      return waiting + active === 0;
    });
    const { heldBack: _, ...counts } = await engine.counts();
    for (const [state, count] of Object.entries(counts)) {
      const { tasks } = await engine.search({ states: [state as TaskState], limit: 1_000 });
      assert.equal(tasks.length, count, `counted as ${state}`);
    }
  });

  write('another engine finds the same', ['search', 'shared'], async (stage) => {
    const held = stage.hold();
    const one = await stage.start();
    const other = await stage.start({ runs: false });
    await one.queue.enqueueMany(held.definition, ['a', 'b', 'c']);
    await stage.begun(held, 'a');
    assert.deepEqual(await other.engine.counts(), await one.engine.counts());
    assert.deepEqual(await other.engine.search({}), await one.engine.search({}));
  });
});

/** Without the prototypes and getters of an engine's own. */
function plain<T>(value: T): T {
  return structuredClone(value);
}
