import assert from 'node:assert/strict';
import { constant } from 'nestjs-nightshift/channels';
import { casesOf } from '../contract-case.js';
import { handled } from '../contract-time.js';

export const deduplication = casesOf('deduplicationKey', (write) => {
  write(
    'a second task with the key gives the handle of the first',
    ['deduplicationKey', 'search'],
    async (stage) => {
      const held = stage.hold();
      const app = await stage.start();
      await app.queue.pause();
      const first = await app.queue.enqueue(held.definition, 'a', { deduplicationKey: 'k' });
      const second = await app.queue.enqueue(held.definition, 'b', { deduplicationKey: 'k' });
      assert.equal(second.id, first.id);
      assert.equal((await app.engine.search({})).tasks.length, 1);
      const told = app.eventsOf('task.deduplicated').map(({ taskId, key }) => ({ taskId, key }));
      assert.deepEqual(told, [{ taskId: first.id, key: 'k' }]);
    },
  );

  write(
    'the key is taken in every state until the task is done, and free then',
    ['deduplicationKey'],
    async (stage) => {
      const held = stage.hold('held', { retry: { maxAttempts: 2, backoff: constant(stage.moment * 2) } });
      const { queue } = await stage.start();
      const enqueue = (delay?: number) =>
        queue.enqueue(held.definition, 'a', { deduplicationKey: 'k', delay });
      const first = await enqueue(stage.moment);
      assert.equal((await enqueue()).id, first.id, 'while it is scheduled');
      await stage.time.advance(stage.moment * 2);
      await stage.begun(held, 'a');
      assert.equal((await enqueue()).id, first.id, 'while it runs');
      held.fail('a', new Error('not yet'));
      await stage.inState(first, 'retrying');
      assert.equal((await enqueue()).id, first.id, 'while it is to be retried');
      await stage.time.advance(stage.moment * 3);
      await stage.begun(held, 'a', 'a');
      held.finish('a');
      await stage.time.settled(first.result());
      assert.notEqual((await enqueue()).id, first.id, 'when it is done');
    },
  );

  write('the key of a task that was cancelled is free', ['deduplicationKey'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    await queue.pause();
    const first = await queue.enqueue(held.definition, 'a', { deduplicationKey: 'k' });
    await first.cancel();
    const second = await queue.enqueue(held.definition, 'b', { deduplicationKey: 'k' });
    assert.notEqual(second.id, first.id);
  });

  write('of many who enqueue at once with one key, one adds a task', ['deduplicationKey'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    const options = { deduplicationKey: 'k' };
    const all = Array.from({ length: 50 }, () => queue.enqueue(held.definition, 'a', options));
    const handles = await stage.time.settled(Promise.all(all));
    assert.equal(new Set(handles.map(({ id }) => id)).size, 1);
    await stage.begun(held, 'a');
  });

  write('the key holds across engines', ['deduplicationKey', 'shared'], async (stage) => {
    const held = stage.hold();
    const one = await stage.start({ runs: false });
    const other = await stage.start({ runs: false });
    const options = { deduplicationKey: 'k' };
    const first = await one.queue.enqueue(held.definition, 'a', options);
    assert.equal((await other.queue.enqueue(held.definition, 'b', options)).id, first.id);
  });

  write('the same key in two queues is not the same', ['deduplicationKey'], async (stage) => {
    const held = stage.hold();
    const app = await stage.start({ queues: [{ name: 'others' }] });
    await app.queue.enqueue(held.definition, 'a', { deduplicationKey: 'k' });
    await app.queueNamed('others').enqueue(held.definition, 'b', { deduplicationKey: 'k' });
    await stage.time.until('both run', () => held.began.length === 2);
  });

  write('a definition may make the key of the payload', ['deduplicationKey'], async (stage) => {
    const held = stage.hold('keyed', { deduplicationKey: (name: string) => `key of ${name}` });
    const { queue } = await stage.start();
    await queue.pause();
    const first = await queue.enqueue(held.definition, 'a');
    assert.notEqual((await queue.enqueue(held.definition, 'b')).id, first.id);
    assert.equal((await queue.enqueue(held.definition, 'a')).id, first.id);
  });

  write(
    'within its window the key is taken although the task is done',
    ['deduplicationKey'],
    async (stage) => {
      const echo = stage.define<string, string>('echo', (text) => text);
      const { queue } = await stage.start();
      const options = { deduplicationKey: { key: 'k', window: stage.moment * 4 } };
      const first = await queue.enqueue(echo, 'a', options);
      assert.equal(await stage.time.settled(first.result()), 'a');
      await stage.time.advance(stage.moment);
      const second = await queue.enqueue(echo, 'b', options);
      assert.equal(second.id, first.id);
      assert.equal(await stage.time.settled(second.result()), 'a');
      await stage.time.advance(stage.moment * 4);
      const third = await queue.enqueue(echo, 'c', options);
      assert.notEqual(third.id, first.id);
      assert.equal(await stage.time.settled(third.result()), 'c');
    },
  );

  write(
    'within its window the key is taken although the task is done and not kept',
    ['deduplicationKey'],
    async (stage) => {
      const echo = stage.define<string, string>('echo', (text) => text);
      const { queue } = await stage.start({ retention: { completed: { count: 0 } } });
      const options = { deduplicationKey: { key: 'k', window: stage.moment * 4 } };
      const first = await queue.enqueue(echo, 'a', options);
      await stage.time.settled(first.result());
      await stage.time.advance(stage.moment);
      assert.equal((await queue.enqueue(echo, 'b', options)).id, first.id);
      await stage.time.advance(stage.moment * 4);
      assert.notEqual((await queue.enqueue(echo, 'c', options)).id, first.id);
    },
  );

  write(
    'replace: the second takes the place of one that has not begun',
    ['deduplicationKey'],
    async (stage) => {
      const held = stage.hold();
      const app = await stage.start();
      await app.queue.pause();
      const options = { deduplicationKey: { key: 'k', onConflict: 'replace' as const } };
      const first = await app.queue.enqueue(held.definition, 'a', options);
      const replaced = handled(first.result());
      const second = await app.queue.enqueue(held.definition, 'b', options);
      assert.notEqual(second.id, first.id);
      await stage.rejection(replaced, 'TASK_DISCARDED');
      assert.equal(await first.state(), 'discarded');
      assert.deepEqual(app.lifeOf(first.id), ['task.enqueued', 'task.replaced']);
      await app.queue.resume();
      await stage.begun(held, 'b');
    },
  );

  write('replace: of scheduled tasks the last one counts', ['deduplicationKey'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start({ concurrency: 3 });
    for (const name of ['a', 'b', 'c'])
      await queue.enqueue(held.definition, name, {
        delay: stage.moment,
        deduplicationKey: { key: 'k', onConflict: 'replace' },
      });
    await stage.time.advance(stage.moment * 2);
    await stage.begun(held, 'c');
  });

  write(
    'replace: one that runs goes on, and the key passes to the second',
    ['deduplicationKey'],
    async (stage) => {
      const held = stage.hold();
      const { queue } = await stage.start({ concurrency: 2 });
      const options = { deduplicationKey: { key: 'k', onConflict: 'replace' as const } };
      const first = await queue.enqueue(held.definition, 'a', options);
      await stage.begun(held, 'a');
      const second = await queue.enqueue(held.definition, 'b', options);
      await stage.begun(held, 'a', 'b');
      held.finish('a');
      assert.equal(await stage.time.settled(first.result()), 'result of a');
      const third = await queue.enqueue(held.definition, 'c', { deduplicationKey: 'k' });
      assert.equal(third.id, second.id);
    },
  );

  write(
    'reject: the second is an error that names the first',
    ['deduplicationKey', 'search'],
    async (stage) => {
      const held = stage.hold();
      const { queue, engine } = await stage.start();
      const first = await queue.enqueue(held.definition, 'a', { deduplicationKey: 'k' });
      const error = await stage.rejection(
        queue.enqueue(held.definition, 'b', { deduplicationKey: { key: 'k', onConflict: 'reject' } }),
        'DUPLICATE_TASK',
      );
      assert.deepEqual([error['taskId'], error['key']], [first.id, 'k']);
      assert.equal((await engine.search({})).tasks.length, 1);
    },
  );
});
