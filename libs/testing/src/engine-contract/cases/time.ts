import assert from 'node:assert/strict';
import { constant } from 'nestjs-nightshift/channels';
import { casesOf } from '../contract-case.js';
import { handled } from '../contract-time.js';

export const time = casesOf('time', (write) => {
  write('a delayed task is scheduled, and runs when its time has come', [], async (stage) => {
    const held = stage.hold();
    const app = await stage.start();
    const handle = await app.queue.enqueue(held.definition, 'a', { delay: stage.moment * 3 });
    assert.equal(await handle.state(), 'scheduled');
    await stage.time.until('the queue knows it', () => app.queue.scheduled === 1);
    await stage.time.advance(stage.moment);
    assert.deepEqual([held.began, await handle.state()], [[], 'scheduled']);
    await stage.time.advance(stage.moment * 2);
    await stage.begun(held, 'a');
    assert.deepEqual(app.lifeOf(handle.id), ['task.enqueued', 'task.scheduled', 'task.started']);
  });

  write('runAt is a date, and one in the past means now', [], async (stage) => {
    const held = stage.hold();
    const app = await stage.start();
    const at = new Date(stage.time.clock.now() + stage.moment * 2);
    const later = await app.queue.enqueue(held.definition, 'later', { runAt: at });
    assert.equal(await later.state(), 'scheduled');
    const [event] = app.eventsOf('task.scheduled');
    assert.ok(event !== undefined && Math.abs(event.runAt.getTime() - at.getTime()) <= 1);
    await app.queue.enqueue(held.definition, 'now', { runAt: new Date(0) });
    await stage.begun(held, 'now');
    held.finish('now');
    await stage.time.advance(stage.moment * 3);
    await stage.begun(held, 'now', 'later');
  });

  write('what is scheduled outlives the engine', ['shared'], async (stage) => {
    const held = stage.hold();
    const before = await stage.start({ runs: false });
    await before.queue.enqueue(held.definition, 'a', { delay: stage.moment * 2 });
    await stage.close(before);
    await stage.start();
    await stage.time.advance(stage.moment);
    assert.deepEqual(held.began, []);
    await stage.time.advance(stage.moment * 2);
    await stage.begun(held, 'a');
  });

  write('many tasks that fall due together run by priority', ['priority'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    const runAt = stage.time.clock.now() + stage.moment; // the same for all, however long it takes to enqueue them
    await queue.enqueue(held.definition, 'last', { runAt, priority: 1 });
    await queue.enqueue(held.definition, 'first', { runAt, priority: -1 });
    await queue.enqueue(held.definition, 'middle', { runAt });
    await stage.time.advance(stage.moment * 2);
    const expected = ['first', 'middle', 'last'];
    for (const [index, name] of expected.entries()) {
      await stage.begun(held, ...expected.slice(0, index + 1));
      held.finish(name);
    }
  });

  write('a task that has not begun in time expires, and never runs', ['expiresIn'], async (stage) => {
    const held = stage.hold();
    const app = await stage.start();
    await app.queue.enqueue(held.definition, 'runs');
    await stage.begun(held, 'runs');
    const handle = await app.queue.enqueue(held.definition, 'late', { expiresIn: stage.moment });
    const expired = handled(handle.result());
    await stage.time.advance(stage.moment * 2);
    assert.equal((await stage.rejection(expired, 'TASK_EXPIRED'))['expiresInMs'], stage.moment);
    assert.equal(await handle.state(), 'expired');
    held.finish('runs');
    await stage.time.settled(app.queue.whenIdle());
    assert.deepEqual(held.began, ['runs']);
    assert.deepEqual(app.lifeOf(handle.id), ['task.enqueued', 'task.expired']);
  });

  write('a scheduled task may expire before its time', ['expiresIn'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    const times = { delay: stage.moment * 3, expiresIn: stage.moment };
    const handle = await queue.enqueue(held.definition, 'a', times);
    const expired = handled(handle.result());
    await stage.time.advance(stage.moment * 5);
    await stage.rejection(expired, 'TASK_EXPIRED');
    assert.deepEqual(held.began, []);
  });

  write('a task of a paused queue expires too', ['expiresIn'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    await queue.pause();
    const handle = await queue.enqueue(held.definition, 'a', { expiresIn: stage.moment });
    const expired = handled(handle.result());
    await stage.time.advance(stage.moment * 2);
    await stage.rejection(expired, 'TASK_EXPIRED');
    await queue.resume();
    await stage.time.settled(queue.whenIdle());
    assert.deepEqual(held.began, []);
  });

  write(
    'a task that has begun does not expire, also not between two attempts',
    ['expiresIn'],
    async (stage) => {
      const held = stage.hold('held', { retry: { maxAttempts: 2, backoff: constant(stage.moment * 2) } });
      const { queue } = await stage.start();
      const handle = await queue.enqueue(held.definition, 'a', { expiresIn: stage.moment });
      await stage.begun(held, 'a');
      held.fail('a', new Error('not yet'));
      await stage.inState(handle, 'retrying');
      await stage.time.advance(stage.moment * 3);
      await stage.begun(held, 'a', 'a');
      held.finish('a');
      assert.equal(await stage.time.settled(handle.result()), 'result of a');
    },
  );
});
