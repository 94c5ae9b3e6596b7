import assert from 'node:assert/strict';
import { casesOf } from '../contract-case.js';
import { handled } from '../contract-time.js';

export const crashing = casesOf('crashing', (write) => {
  write(
    'the tasks of a dead process run elsewhere, and that was no attempt',
    ['shared', 'search'],
    async (stage) => {
      const held = stage.hold();
      const dying = await stage.start({ concurrency: 2 });
      const handles = await dying.queue.enqueueMany(held.definition, ['a', 'b', 'c']);
      await stage.begun(held, 'a', 'b');
      await stage.crash(dying);
      const living = await stage.start({ concurrency: 3 });
      await stage.begun(held, 'a', 'b', 'c');
      await stage.time.advance(stage.setup.recoveryMs);
      await stage.time.until('the others run again', () => held.began.length === 5);
      assert.deepEqual(held.began.slice(3).toSorted(), ['a', 'b']);
      assert.equal(held.context('a').attempt, 1);
      const recovered = living.eventsOf('queue.recovered').flatMap(({ tasks }) => tasks);
      assert.deepEqual(
        recovered.map(({ taskId }) => taskId).toSorted(),
        handles
          .slice(0, 2)
          .map(({ id }) => id)
          .toSorted(),
      );
      const details = await living.engine.details(handles[0]!.id);
      assert.deepEqual(
        details?.attempts.map(({ attempt, outcome }) => ({ attempt, outcome })),
        [{ attempt: 1, outcome: 'interrupted' }],
      );
    },
  );

  write('what a process says that was taken for dead does not count', ['shared'], async (stage) => {
    const held = stage.hold();
    const slow = await stage.start();
    const handle = await slow.queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    const finishThere = held.ending('a');
    await stage.crash(slow);
    const living = await stage.start();
    await stage.time.advance(stage.setup.recoveryMs);
    await stage.begun(held, 'a', 'a');
    finishThere('from the grave');
    await stage.time.breathe();
    const found = (await living.queue.find(handle.id))!;
    assert.equal(await found.state(), 'active');
    held.finish('a', 'from the living');
    assert.equal(await stage.time.settled(found.result()), 'from the living');
    await stage.time.until('it was told that it was superseded', () =>
      slow.lifeOf(handle.id).includes('task.superseded'),
    );
  });

  write('a cancellation that the dead process has not heard holds', ['shared'], async (stage) => {
    const held = stage.hold();
    const dying = await stage.start();
    const living = await stage.start({ runs: false });
    const { id } = await dying.queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    await stage.crash(dying);
    const handle = (await living.queue.find(id))!;
    const cancelled = handled(handle.result());
    assert.equal(await handle.cancel('not any more'), true);
    await stage.start();
    await stage.time.advance(stage.setup.recoveryMs);
    await stage.rejection(cancelled, 'TASK_CANCELLED');
    await stage.begun(held, 'a');
  });

  write('a living process keeps its tasks, however long they run', ['shared'], async (stage) => {
    const held = stage.hold();
    const one = await stage.start();
    await stage.start();
    const handle = await one.queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    await stage.time.advance(stage.setup.recoveryMs * 2);
    await stage.begun(held, 'a');
    held.finish('a');
    assert.equal(await stage.time.settled(handle.result()), 'result of a');
  });

  write('the concurrencyKey of a dead process is free again', ['shared', 'concurrencyKey'], async (stage) => {
    const held = stage.hold();
    const dying = await stage.start();
    for (const name of ['a', 'b']) await dying.queue.enqueue(held.definition, name, { concurrencyKey: 'k' });
    await stage.begun(held, 'a');
    await stage.crash(dying);
    await stage.start({ concurrency: 5 });
    await stage.time.advance(stage.setup.recoveryMs);
    await stage.time.until('the next one runs', () => held.began.length === 2);
    const [, next] = held.began;
    held.finish(next!);
    await stage.time.until('both have run', () => held.began.length === 3);
    assert.deepEqual(held.began.slice(1).toSorted(), ['a', 'b']);
  });
});

export const parking = casesOf('parking', (write) => {
  write(
    'a task without a handler is parked where all can see it, until there is one',
    ['shared', 'search'],
    async (stage) => {
      const known = stage.hold('known');
      const unknown = stage.hold('unknown');
      const before = await stage.start({ runs: false });
      const handle = await before.queue.enqueue(unknown.definition, 'a');
      await before.queue.enqueue(known.definition, 'b');
      await stage.close(before);
      const app = await stage.start({ handles: [known.definition] });
      await stage.begun(known, 'b');
      const heldBack = async () => (await app.engine.details(handle.id))?.heldBack;
      await stage.time.until('it is parked', async () => (await heldBack()) === 'noHandler');
      assert.equal(await (await app.queue.find(handle.id))!.state(), 'waiting');
      assert.equal((await app.engine.counts()).heldBack, 1);
      assert.deepEqual(
        app.eventsOf('queue.parked').map(({ definitions }) => definitions),
        [['unknown']],
      );
      await stage.start();
      await stage.time.until('somebody handles it', () => unknown.began.length === 1);
      await stage.time.until('it is not parked any more', async () => (await heldBack()) === undefined);
    },
  );

  write('an application that starts tells of what was parked before', ['shared', 'search'], async (stage) => {
    const known = stage.hold('known');
    const unknown = stage.hold('unknown');
    const before = await stage.start({ handles: [known.definition] });
    const other = await stage.start({ runs: false });
    const { id } = await other.queue.enqueue(unknown.definition, 'a');
    const heldBack = async () => (await other.engine.details(id))?.heldBack;
    await stage.time.until('it is parked', async () => (await heldBack()) === 'noHandler');
    await stage.close(before);
    const after = await stage.start({ handles: [known.definition] });
    const told = (): unknown => after.eventsOf('queue.parked').map(({ definitions }) => definitions);
    await stage.time.until('it is told', () => after.eventsOf('queue.parked').length > 0);
    await stage.time.breathe();
    assert.deepEqual(told(), [['unknown']]);
  });

  write('parked tasks do not hold up those behind them', ['shared'], async (stage) => {
    const known = stage.hold('known');
    const unknown = stage.hold('unknown');
    const before = await stage.start({ runs: false });
    const names = Array.from({ length: 60 }, (_, index) => String(index));
    await before.queue.enqueueMany(unknown.definition, names);
    await before.queue.enqueue(known.definition, 'a');
    await stage.close(before);
    await stage.start({ handles: [known.definition] });
    await stage.begun(known, 'a');
  });

  write('each engine runs what it has handlers for', ['shared'], async (stage) => {
    const left = stage.hold('left');
    const right = stage.hold('right');
    const producer = await stage.start({ runs: false });
    await stage.start({ handles: [left.definition] });
    await stage.start({ handles: [right.definition] });
    for (const name of ['a', 'b']) {
      await producer.queue.enqueue(left.definition, name);
      await producer.queue.enqueue(right.definition, name);
    }
    // In which order is the engine's: what is set aside may lose its place.
    for (const count of [1, 2]) {
      for (const work of [left, right]) {
        await stage.time.until(`${count} has begun`, () => work.began.length >= count);
        work.finish(work.began[count - 1]!);
      }
    }
    await stage.time.settled(producer.queue.whenIdle());
    for (const work of [left, right]) assert.deepEqual(work.began.toSorted(), ['a', 'b']);
  });
});
