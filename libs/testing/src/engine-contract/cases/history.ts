import assert from 'node:assert/strict';
import type { TaskHandle } from 'nestjs-nightshift';
import { constant } from 'nestjs-nightshift/channels';
import { casesOf } from '../contract-case.js';

/** Asked for at once: a moment later the task may be gone. */
async function resultOf(enqueued: Promise<TaskHandle>): Promise<unknown> {
  return (await enqueued).result();
}

export const history = casesOf('history', (write) => {
  write('a dead task is run again by hand, with all its attempts', ['search'], async (stage) => {
    const held = stage.hold('held', { retry: { maxAttempts: 2, backoff: constant(0) } });
    const app = await stage.start();
    const handle = await app.queue.enqueue(held.definition, 'a');
    const failed = assert.rejects(handle.result(), /not yet/);
    for (const times of [1, 2]) {
      await stage.time.until('it has begun', () => held.began.length === times);
      held.fail('a', new Error('not yet'));
    }
    await stage.time.settled(failed);
    await stage.inState(handle, 'dead');
    assert.equal(await app.engine.retry({ ids: [handle.id] }), 1);
    await stage.time.until('it has begun again', () => held.began.length === 3);
    assert.equal(held.context('a').attempt, 1);
    held.finish('a', 'at last');
    const again = (await app.queue.find(handle.id))!;
    await stage.inState(again, 'completed');
    assert.equal(await stage.time.settled(again.result()), 'at last');
    assert.equal(app.eventsOf('task.retried')[0]?.taskId, handle.id);
    assert.equal((await app.engine.details(handle.id))?.error, undefined);
    assert.equal(await app.engine.retry({ ids: [handle.id] }), 0, 'a completed task is not run again');
  });

  write('an attempt that throws nothing has failed all the same', ['search'], async (stage) => {
    const thrower = stage.define('thrower', () => Promise.reject(undefined), {
      retry: { maxAttempts: 2, backoff: constant(0) },
    });
    const { queue, engine } = await stage.start();
    const handle = await queue.enqueue(thrower, undefined);
    await stage.inState(handle, 'dead');
    const { attempts } = (await engine.details(handle.id))!;
    assert.deepEqual(
      attempts.map(({ attempt, outcome, error }) => [attempt, outcome, error?.message]),
      [1, 2].map((attempt) => [attempt, 'failed', 'undefined']),
    );
  });

  write('many are run again by a filter: those that ended without completing', ['search'], async (stage) => {
    let isBroken = true;
    const work = stage.define<number, number>('work', (number, context) => {
      if (isBroken && number === 0) throw new Error('broken');
      return isBroken && number === 1 ? context.discard() : number;
    });
    const held = stage.hold();
    const { queue, engine } = await stage.start({ concurrency: 3 });
    const handles = await queue.enqueueMany(work, [0, 1, 2]);
    for (const [index, state] of (['dead', 'discarded', 'completed'] as const).entries())
      await stage.inState(handles[index]!, state);
    await queue.enqueue(held.definition, 'runs');
    await stage.begun(held, 'runs');
    isBroken = false;
    assert.equal(await engine.retry({}), 2);
    await stage.time.until('all are completed', async () => (await engine.counts()).completed === 3);
    await stage.begun(held, 'runs');
  });

  write('what is run again goes before what has not begun', ['search'], async (stage) => {
    const held = stage.hold();
    const { queue, engine } = await stage.start();
    const first = await queue.enqueue(held.definition, 'first');
    await stage.begun(held, 'first');
    held.fail('first', new Error('failed'));
    await stage.inState(first, 'dead');
    await queue.pause();
    await queue.enqueue(held.definition, 'waits');
    await engine.retry({ ids: [first.id] });
    await queue.resume();
    await stage.begun(held, 'first', 'first');
  });

  write('a cancelled task can be run again', ['search'], async (stage) => {
    const held = stage.hold();
    const { queue, engine } = await stage.start();
    const waiting = await queue.enqueue(held.definition, 'runs');
    await stage.begun(held, 'runs');
    const cancelled = await queue.enqueue(held.definition, 'cancelled');
    await cancelled.cancel();
    assert.equal(await engine.retry({ states: ['cancelled'] }), 1);
    held.finish('runs');
    await stage.inState(waiting, 'completed');
    await stage.begun(held, 'runs', 'cancelled');
    const again = (await queue.find(cancelled.id))!;
    held.finish('cancelled');
    await stage.inState(again, 'completed');
    assert.equal(await stage.time.settled(again.result()), 'result of cancelled');
  });

  write('tasks that have ended can be removed, and no others', ['search'], async (stage) => {
    const held = stage.hold();
    const echo = stage.define<string, void>('echo', () => undefined);
    const { queue, engine } = await stage.start();
    const ended = await queue.enqueue(echo, 'x');
    await stage.inState(ended, 'completed');
    await queue.enqueueMany(held.definition, ['a', 'b']);
    await queue.enqueue(held.definition, 'c', { delay: stage.moment * 9 });
    await stage.begun(held, 'a');
    assert.equal(await engine.remove({}), 1);
    const { tasks } = await engine.search({});
    assert.equal(tasks.length, 3);
    assert.equal((await engine.counts()).completed, 0);
    held.finish('a');
    await stage.begun(held, 'a', 'b');
  });

  write('of ended tasks the last so many are kept', ['search'], async (stage) => {
    const echo = stage.define<number, void>('echo', () => undefined);
    const { queue, engine } = await stage.start({ retention: { completed: { count: 3 } } });
    const handles = await queue.enqueueMany(echo, [0, 1, 2, 3, 4, 5]);
    await stage.time.settled(queue.whenIdle());
    const kept = async () => (await engine.search({ order: 'oldest' })).tasks.map(({ id }) => id);
    const advanced = stage.time.advance(stage.moment * 2);
    await advanced;
    await stage.time.until('three are left', async () => (await kept()).length === 3);
    assert.deepEqual(
      await kept(),
      handles.slice(3).map(({ id }) => id),
    );
    assert.equal((await engine.counts()).completed, 3);
  });

  write('ended tasks are kept for as long as the retention says', ['search'], async (stage) => {
    const echo = stage.define<number, void>('echo', () => undefined);
    const fail = stage.define<number, void>('fail', () => {
      throw new Error('failed');
    });
    const { queue, engine } = await stage.start({
      retention: { completed: { age: stage.moment * 6 }, dead: { age: 'infinite' } },
    });
    const old = await queue.enqueue(echo, 1);
    const dead = await queue.enqueue(fail, 1);
    await stage.inState(old, 'completed');
    await stage.inState(dead, 'dead');
    await stage.time.advance(stage.moment * 4);
    const young = await queue.enqueue(echo, 2);
    await stage.inState(young, 'completed');
    assert.equal((await queue.find(old.id))?.id, old.id);
    await stage.time.advance(stage.moment * 4);
    await stage.time.until('the old one has gone', async () => (await queue.find(old.id)) === undefined);
    const { tasks } = await engine.search({ order: 'oldest' });
    assert.deepEqual(
      tasks.map(({ id }) => id),
      [dead.id, young.id],
    );
  });

  write('a count of 0 keeps none, and results are told all the same', ['search'], async (stage) => {
    const echo = stage.define<string, string>('echo', (text) => text);
    const fail = stage.define<string, void>('fail', (text) => {
      throw new Error(text);
    });
    const { queue, engine } = await stage.start({
      retention: { completed: { count: 0 }, dead: { count: 0 } },
    });
    const ends = Promise.allSettled([resultOf(queue.enqueue(echo, 'a')), resultOf(queue.enqueue(fail, 'b'))]);
    const [completed, dead] = await stage.time.settled(ends);
    assert.deepEqual(completed, { status: 'fulfilled', value: 'a' });
    assert.equal(dead?.status === 'rejected' && (dead.reason as Error).message, 'b');
    await stage.time.until('none is left', async () => (await engine.search({})).tasks.length === 0);
    const { completed: c, dead: d } = await engine.counts();
    assert.deepEqual([c, d], [0, 0]);
  });
});

export const lives = casesOf('events', (write) => {
  write('the life of a task is told in order', [], async (stage) => {
    let times = 0;
    const work = stage.define<string, string>('work', (_, context) => {
      times += 1;
      if (times === 1) return context.retryAfter(0);
      if (times === 2) throw new Error('not yet');
      return 'done';
    });
    const app = await stage.start({ retry: { maxAttempts: 2, backoff: constant(0) } });
    const handle = await app.queue.enqueue(work, 'a', { delay: stage.moment });
    await stage.time.advance(stage.moment * 2);
    assert.equal(await stage.time.settled(handle.result()), 'done');
    await stage.inState(handle, 'completed');
    assert.deepEqual(app.lifeOf(handle.id), [
      'task.enqueued',
      'task.scheduled',
      'task.started',
      'task.retrying',
      'task.started',
      'task.retrying',
      'task.started',
      'task.completed',
    ]);
    assert.ok(
      app.events.every((event) => !('queue' in event) || event.queue === app.queue.name),
      'each names its queue',
    );
    assert.ok(app.eventsOf('task.started').every(({ name }) => name === 'work'));
  });

  write('the opening and the closing of a queue are told', [], async (stage) => {
    const app = await stage.start();
    await stage.close(app);
    const types = app.events.map(({ type }) => type).filter((type) => type.startsWith('queue.'));
    assert.deepEqual(types, ['queue.draining', 'queue.drained']);
  });

  write('nothing is told twice of a task that is enqueued by another engine', ['shared'], async (stage) => {
    const echo = stage.define<string, string>('echo', (text) => text);
    const producer = await stage.start({ runs: false });
    const worker = await stage.start();
    const handle = await producer.queue.enqueue(echo, 'a');
    assert.equal(await stage.time.settled(handle.result()), 'a');
    assert.deepEqual(producer.lifeOf(handle.id), ['task.enqueued']);
    assert.deepEqual(worker.lifeOf(handle.id), ['task.started', 'task.completed']);
  });
});
