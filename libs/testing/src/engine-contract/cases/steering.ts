import assert from 'node:assert/strict';
import { constant } from 'nestjs-nightshift/channels';
import { casesOf } from '../contract-case.js';
import { handled } from '../contract-time.js';

export const steering = casesOf('pausing', (write) => {
  write('nothing begins while the queue is paused, and running tasks go on', [], async (stage) => {
    const held = stage.hold();
    const app = await stage.start({ concurrency: 2 });
    const first = await app.queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    await app.queue.pause();
    assert.equal(app.queue.isPaused, true);
    const second = await app.queue.enqueue(held.definition, 'b');
    held.finish('a');
    assert.equal(await stage.time.settled(first.result()), 'result of a');
    await stage.time.breathe();
    await stage.begun(held, 'a');
    assert.equal(await second.state(), 'waiting');
    await app.queue.resume();
    assert.equal(app.queue.isPaused, false);
    await stage.begun(held, 'a', 'b');
    assert.deepEqual([app.eventsOf('queue.paused').length, app.eventsOf('queue.resumed').length], [1, 1]);
  });

  write('what falls due while the queue is paused runs when it goes on', [], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    await queue.enqueue(held.definition, 'a', { delay: stage.moment });
    await queue.pause();
    await stage.time.advance(stage.moment * 2);
    assert.deepEqual(held.began, []);
    await queue.resume();
    await stage.begun(held, 'a');
  });

  write('pausing and resuming twice changes nothing', [], async (stage) => {
    const app = await stage.start();
    await app.queue.pause();
    await app.queue.pause();
    await app.queue.resume();
    await app.queue.resume();
    assert.deepEqual([app.eventsOf('queue.paused').length, app.eventsOf('queue.resumed').length], [1, 1]);
  });

  write('a pause holds for all engines, and over restarts', ['shared'], async (stage) => {
    const held = stage.hold();
    const one = await stage.start();
    const other = await stage.start();
    await one.queue.pause();
    await stage.time.until('the other is paused', () => other.queue.isPaused);
    await other.queue.enqueue(held.definition, 'a');
    await stage.close(one);
    const later = await stage.start();
    await stage.time.until('a new one is paused', () => later.queue.isPaused);
    await stage.time.breathe();
    assert.deepEqual(held.began, []);
    await later.queue.resume();
    await stage.begun(held, 'a');
    await stage.time.until('the other goes on', () => !other.queue.isPaused);
  });
});

export const idling = casesOf('whenIdle', (write) => {
  write('it resolves at once when there is nothing to do', [], async (stage) => {
    const { queue } = await stage.start();
    await stage.time.settled(queue.whenIdle());
  });

  write('it waits for what waits and what runs', [], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    await queue.enqueueMany(held.definition, ['a', 'b']);
    const idle = queue.whenIdle();
    await stage.begun(held, 'a');
    assert.ok(await stage.time.isPending(idle));
    held.finish('a');
    await stage.begun(held, 'a', 'b');
    assert.ok(await stage.time.isPending(idle));
    held.finish('b');
    await stage.time.settled(idle);
    assert.deepEqual([queue.size, queue.active], [0, 0]);
  });

  write('it waits for what is to be retried, and not for what is scheduled', [], async (stage) => {
    const held = stage.hold('held', { retry: { maxAttempts: 2, backoff: constant(stage.moment * 2) } });
    const { queue } = await stage.start();
    await queue.enqueue(held.definition, 'scheduled', { delay: stage.moment * 50 });
    const handle = await queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    held.fail('a', new Error('not yet'));
    await stage.inState(handle, 'retrying');
    const idle = queue.whenIdle();
    assert.ok(await stage.time.isPending(idle));
    await stage.time.advance(stage.moment * 2.5);
    await stage.begun(held, 'a', 'a');
    held.finish('a');
    await stage.time.settled(idle);
  });

  write('it waits while a paused queue holds work', [], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    await queue.pause();
    const handle = await queue.enqueue(held.definition, 'a');
    const idle = queue.whenIdle();
    assert.ok(await stage.time.isPending(idle));
    await handle.cancel();
    await stage.time.settled(idle);
  });

  write('it sees what other engines do', ['shared'], async (stage) => {
    const held = stage.hold();
    const one = await stage.start();
    const other = await stage.start({ runs: false });
    await one.queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    const idle = other.queue.whenIdle();
    assert.ok(await stage.time.isPending(idle));
    held.finish('a');
    await stage.time.settled(idle);
  });
});

export const capacity = casesOf('capacity', (write) => {
  write('producers wait for room, first come first served', ['capacity'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start({ capacity: 1 });
    assert.equal(queue.capacity, 1);
    await queue.enqueue(held.definition, 'runs');
    await stage.begun(held, 'runs');
    await queue.enqueue(held.definition, 'waits');
    const third = queue.enqueue(held.definition, 'third');
    const fourth = queue.enqueue(held.definition, 'fourth');
    assert.ok(await stage.time.isPending(third));
    held.finish('runs');
    await stage.time.settled(third);
    assert.ok(await stage.time.isPending(fourth));
    held.finish('waits');
    await stage.time.settled(fourth);
    await stage.begun(held, 'runs', 'waits', 'third');
  });

  write('a cancelled task makes room', ['capacity'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start({ capacity: 1 });
    await queue.pause();
    const first = await queue.enqueue(held.definition, 'a');
    const blocked = queue.enqueue(held.definition, 'b');
    assert.ok(await stage.time.isPending(blocked));
    await first.cancel();
    await stage.time.settled(blocked);
  });

  write(
    'the signal gives up waiting for room, and nothing is accepted',
    ['capacity', 'search'],
    async (stage) => {
      const held = stage.hold();
      const { queue, engine } = await stage.start({ capacity: 1 });
      await queue.pause();
      await queue.enqueue(held.definition, 'a');
      const controller = new AbortController();
      const blocked = queue.enqueue(held.definition, 'b', { signal: controller.signal });
      assert.ok(await stage.time.isPending(blocked));
      const reason = new Error('the caller has gone');
      controller.abort(reason);
      await assert.rejects(stage.time.settled(blocked), (error) => error === reason);
      assert.equal((await engine.search({})).tasks.length, 1);
    },
  );

  write(
    'a signal that is aborted while the queue is found full gives up as well',
    ['capacity', 'search'],
    async (stage) => {
      const held = stage.hold();
      const { queue, engine } = await stage.start({ capacity: 1 });
      await queue.pause();
      await queue.enqueue(held.definition, 'a');
      const controller = new AbortController();
      const reason = new Error('the caller has gone');
      const blocked = handled(queue.enqueue(held.definition, 'b', { signal: controller.signal }));
      controller.abort(reason);
      await assert.rejects(stage.time.settled(blocked), (error) => error === reason);
      assert.equal((await engine.search({})).tasks.length, 1);
    },
  );

  write('what is scheduled needs no room, nor when it falls due', ['capacity'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start({ capacity: 1 });
    await queue.pause();
    await queue.enqueue(held.definition, 'waits');
    await queue.enqueue(held.definition, 'due', { delay: stage.moment });
    await stage.time.advance(stage.moment * 2);
    await queue.resume();
    await stage.begun(held, 'due');
    held.finish('due');
    await stage.begun(held, 'due', 'waits');
  });

  write('room that comes free elsewhere releases a producer', ['capacity', 'shared'], async (stage) => {
    const held = stage.hold();
    const producer = await stage.start({ capacity: 1, runs: false });
    await producer.queue.enqueue(held.definition, 'a');
    const blocked = producer.queue.enqueue(held.definition, 'b');
    assert.ok(await stage.time.isPending(blocked));
    await stage.start({ capacity: 1 });
    await stage.time.settled(blocked);
  });

  write(
    'work that waits for room in its own queue is refused when nobody could make any',
    ['capacity'],
    async (stage) => {
      const held = stage.hold();
      const errors: unknown[] = [];
      const greedy = stage.define<string, void>('greedy', async () => {
        await app.queue.enqueue(held.definition, 'a').catch((error: unknown) => errors.push(error));
        await app.queue.enqueue(held.definition, 'b').catch((error: unknown) => errors.push(error));
      });
      const app = await stage.start({ capacity: 1 });
      const handle = await app.queue.enqueue(greedy, 'x');
      await stage.time.settled(handle.result());
      assert.deepEqual(
        errors.map((error) => (error as { code?: string }).code),
        ['QUEUE_WAITS_FOR_ITSELF'],
      );
      await stage.begun(held, 'a');
    },
  );

  for (const [fullMode, dropped, kept] of [
    ['dropOldest', 'a', ['b', 'c']],
    ['dropNewest', 'b', ['a', 'c']],
    ['dropWrite', 'c', ['a', 'b']],
  ] as const) {
    write(
      `${fullMode}: '${dropped}' of a, b and c is dropped where two have room`,
      ['capacity', 'dropping'],
      async (stage) => {
        const held = stage.hold();
        const told: string[] = [];
        const app = await stage.start({ capacity: 2, fullMode, onDropped: ({ id }) => told.push(id) });
        await app.queue.pause();
        const handles = new Map<string, Awaited<ReturnType<typeof app.queue.enqueue>>>();
        for (const name of ['a', 'b', 'c']) handles.set(name, await app.queue.enqueue(held.definition, name));
        const handle = handles.get(dropped)!;
        const error = await stage.rejection(handle.result(), 'TASK_DROPPED');
        assert.equal(error['fullMode'], fullMode);
        assert.deepEqual(told, [handle.id]);
        assert.equal(await handle.state(), 'discarded');
        assert.deepEqual(
          app.eventsOf('task.dropped').map(({ taskId, fullMode: mode }) => [taskId, mode]),
          [[handle.id, fullMode]],
        );
        await app.queue.resume();
        for (const [index, name] of kept.entries()) {
          await stage.begun(held, ...kept.slice(0, index + 1));
          held.finish(name);
        }
        await stage.time.settled(app.queue.whenIdle());
        assert.equal(held.began.length, 2);
      },
    );
  }

  write('a durable queue has no bound unless it is given one', ['durable'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start({ runs: false });
    assert.equal(queue.capacity, Number.POSITIVE_INFINITY);
    const names = Array.from({ length: 250 }, (_, index) => String(index));
    assert.equal((await queue.enqueueMany(held.definition, names)).length, 250);
  });
});
