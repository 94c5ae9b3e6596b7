import assert from 'node:assert/strict';
import { constant } from 'nestjs-nightshift/channels';
import { casesOf } from '../contract-case.js';
import { handled } from '../contract-time.js';

export const closing = casesOf('closing', (write) => {
  write('running work is waited for, and its result is that of any other', [], async (stage) => {
    const held = stage.hold('held', { heedsSignal: false });
    const app = await stage.start({ shutdownTimeoutMs: stage.moment * 10 });
    const handle = await app.queue.enqueue(held.definition, 'a');
    const result = handle.result();
    await stage.begun(held, 'a');
    const closed = app.close();
    assert.ok(await stage.time.isPending(closed));
    held.finish('a');
    assert.equal(await stage.time.settled(result), 'result of a');
    await stage.time.settled(closed);
    assert.equal(app.eventsOf('queue.drained').length, 1);
  });

  write('afterwards nothing is accepted', [], async (stage) => {
    const held = stage.hold();
    const app = await stage.start();
    await stage.close(app);
    await stage.rejection(app.queue.enqueue(held.definition, 'a'), 'QUEUE_CLOSED');
  });

  write('producers who wait for room are released', ['capacity'], async (stage) => {
    const held = stage.hold();
    const app = await stage.start({ capacity: 1 });
    await app.queue.pause();
    const first = await app.queue.enqueue(held.definition, 'a');
    const ended = first.result().catch(() => {});
    const blocked = handled(app.queue.enqueue(held.definition, 'b'));
    await stage.time.breathe();
    await stage.close(app);
    await stage.rejection(blocked, 'QUEUE_CLOSED');
    await ended;
  });

  write('in memory what was accepted still runs', ['memory'], async (stage) => {
    const held = stage.hold();
    const app = await stage.start({ shutdownTimeoutMs: stage.moment * 10 });
    const handles = await app.queue.enqueueMany(held.definition, ['a', 'b']);
    const results = Promise.all(handles.map((handle) => handle.result()));
    await stage.begun(held, 'a');
    const closed = app.close();
    held.finish('a');
    await stage.begun(held, 'a', 'b');
    held.finish('b');
    await stage.time.settled(closed);
    assert.deepEqual(await stage.time.settled(results), ['result of a', 'result of b']);
  });

  write('in memory what is left at the deadline is told by name, and given up', ['memory'], async (stage) => {
    const held = stage.hold();
    const app = await stage.start();
    const [running, waiting] = await app.queue.enqueueMany(held.definition, ['a', 'b']);
    const ends = [running!, waiting!].map((handle) => handled(handle.result()));
    await stage.begun(held, 'a');
    await stage.close(app);
    for (const end of ends) await stage.rejection(end, 'TASK_ABANDONED');
    const [event] = app.eventsOf('queue.abandoned');
    assert.deepEqual(
      [event?.running, event?.waiting].map((labels) => labels?.map(({ taskId }) => taskId)),
      [[running!.id], [waiting!.id]],
    );
  });

  write('what waits is kept, and begins at the next start', ['shared'], async (stage) => {
    const held = stage.hold('held', { heedsSignal: false });
    const before = await stage.start({ shutdownTimeoutMs: stage.moment * 10 });
    await before.queue.enqueueMany(held.definition, ['a', 'b']);
    await stage.begun(held, 'a');
    const closed = before.close();
    await stage.time.breathe();
    held.finish('a');
    await stage.time.settled(closed);
    await stage.begun(held, 'a');
    assert.deepEqual(before.eventsOf('queue.abandoned'), []);
    await stage.start();
    await stage.begun(held, 'a', 'b');
  });

  write('a durable queue accepts until it is closed', ['shared'], async (stage) => {
    const held = stage.hold();
    const more = stage.hold('more');
    const app = await stage.start({ shutdownTimeoutMs: stage.moment * 10 });
    await app.queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    const closed = app.close();
    await stage.time.breathe();
    await app.queue.enqueue(more.definition, 'b');
    held.finish('a');
    await stage.time.settled(closed);
    assert.deepEqual(more.began, []);
    await stage.start();
    await stage.begun(more, 'b');
  });

  write(
    'a task that the deadline interrupts runs again, and that was no attempt',
    ['shared', 'search'],
    async (stage) => {
      const held = stage.hold('held', { retry: { maxAttempts: 2, backoff: constant(stage.moment) } });
      const before = await stage.start();
      const handle = await before.queue.enqueue(held.definition, 'a');
      const unfinished = handled(handle.result());
      await stage.begun(held, 'a');
      await stage.close(before);
      await stage.rejection(unfinished, 'TASK_UNFINISHED');
      assert.deepEqual(before.lifeOf(handle.id), ['task.enqueued', 'task.started', 'task.interrupted']);
      const after = await stage.start();
      await stage.begun(held, 'a', 'a');
      assert.equal(held.context('a').attempt, 1);
      const details = await after.engine.details(handle.id);
      assert.deepEqual(
        details?.attempts.map(({ attempt, outcome }) => ({ attempt, outcome })),
        [{ attempt: 1, outcome: 'interrupted' }],
      );
      held.finish('a');
      assert.equal(await stage.time.settled((await after.queue.find(handle.id))!.result()), 'result of a');
    },
  );

  write(
    'a task that ignores its signal is left behind, runs again, and is heard no more',
    ['shared'],
    async (stage) => {
      const held = stage.hold('held', { heedsSignal: false });
      const before = await stage.start();
      const handle = await before.queue.enqueue(held.definition, 'a');
      await stage.begun(held, 'a');
      const { signal } = held.context('a');
      const finishLeft = held.ending('a');
      await stage.close(before);
      assert.equal(signal.aborted, true);
      const after = await stage.start();
      await stage.begun(held, 'a', 'a');
      finishLeft('too late');
      await stage.time.breathe();
      const again = (await after.queue.find(handle.id))!;
      assert.equal(await again.state(), 'active');
      held.finish('a');
      assert.equal(await stage.time.settled(again.result()), 'result of a');
    },
  );

  write('whoever waits for a result that does not come here is told', ['shared'], async (stage) => {
    const held = stage.hold();
    const app = await stage.start({ runs: false });
    const handle = await app.queue.enqueue(held.definition, 'a');
    const unfinished = handled(handle.result());
    await stage.time.breathe();
    await stage.close(app);
    await stage.rejection(unfinished, 'TASK_UNFINISHED');
  });
});
