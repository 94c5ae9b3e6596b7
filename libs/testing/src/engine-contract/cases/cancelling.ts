import assert from 'node:assert/strict';
import { constant } from 'nestjs-nightshift/channels';
import { casesOf } from '../contract-case.js';
import { handled } from '../contract-time.js';

export const cancelling = casesOf('cancelling', (write) => {
  write('a task that waits never runs', [], async (stage) => {
    const held = stage.hold();
    const app = await stage.start();
    await app.queue.enqueue(held.definition, 'runs');
    const handle = await app.queue.enqueue(held.definition, 'waits');
    await app.queue.enqueue(held.definition, 'next');
    const cancelled = handled(handle.result());
    assert.equal(await handle.cancel('no longer needed'), true);
    assert.equal((await stage.rejection(cancelled, 'TASK_CANCELLED')).cause, 'no longer needed');
    assert.equal(await handle.state(), 'cancelled');
    await stage.begun(held, 'runs');
    held.finish('runs');
    await stage.begun(held, 'runs', 'next');
    assert.deepEqual(app.lifeOf(handle.id), ['task.enqueued', 'task.cancelled']);
  });

  write('why a task was cancelled is kept as a sentence', ['search'], async (stage) => {
    const held = stage.hold();
    const { queue, engine } = await stage.start();
    const sentences = async (reason?: string): Promise<void> => {
      const tail = reason === undefined ? '' : `: ${reason}`;
      const running = await queue.enqueue(held.definition, 'a');
      await stage.inState(running, 'active');
      const waiting = await queue.enqueue(held.definition, 'b');
      for (const handle of [waiting, running]) {
        handled(handle.result());
        assert.equal(await handle.cancel(reason), true);
        await stage.inState(handle, 'cancelled');
        const message = (await engine.details(handle.id))?.error?.message;
        const expected = ['A task', `Task ${handle.id}`].map(
          (task) => `${task} of queue '${queue.name}' was cancelled${tail}.`,
        );
        assert.ok(expected.includes(message!), message);
      }
    };
    await sentences('no longer needed');
    await sentences();
  });

  write('another engine that cancels a task without a reason gives none', ['shared'], async (stage) => {
    const held = stage.hold();
    const one = await stage.start();
    const other = await stage.start({ runs: false });
    const handle = await one.queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    const cancelled = handled(handle.result());
    assert.equal(await (await other.queue.find(handle.id))!.cancel(), true);
    const error = await stage.rejection(cancelled, 'TASK_CANCELLED');
    assert.deepEqual(
      [error.message, error.cause],
      [`Task ${handle.id} of queue '${one.queue.name}' was cancelled.`, undefined],
    );
  });

  write('a task that is scheduled never runs', [], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    const handle = await queue.enqueue(held.definition, 'a', { delay: stage.moment });
    assert.equal(await handle.cancel(), true);
    await stage.time.advance(stage.moment * 2);
    assert.deepEqual([held.began, await handle.state()], [[], 'cancelled']);
    await stage.time.until('the queue knows it', () => queue.scheduled === 0);
  });

  write('a task that is to be retried does not run again', [], async (stage) => {
    const held = stage.hold('held', { retry: { maxAttempts: 2, backoff: constant(stage.moment) } });
    const { queue } = await stage.start();
    const handle = await queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    held.fail('a', new Error('not yet'));
    await stage.inState(handle, 'retrying');
    assert.equal(await handle.cancel(), true);
    await stage.time.advance(stage.moment * 3);
    await stage.begun(held, 'a');
    assert.equal(await handle.state(), 'cancelled');
  });

  write(
    'a task that runs has its signal aborted, and its result is that it was cancelled',
    [],
    async (stage) => {
      const held = stage.hold();
      const { queue } = await stage.start();
      const handle = await queue.enqueue(held.definition, 'a');
      await stage.begun(held, 'a');
      const { signal } = held.context('a');
      const cancelled = handled(handle.result());
      assert.equal(await handle.cancel('stop it'), true);
      await stage.rejection(cancelled, 'TASK_CANCELLED');
      assert.equal(signal.aborted, true);
      await stage.inState(handle, 'cancelled');
      await stage.time.settled(queue.whenIdle());
    },
  );

  write('there is nothing to cancel when it has ended', [], async (stage) => {
    const echo = stage.define<string, string>('echo', (text) => text);
    const { queue } = await stage.start();
    const handle = await queue.enqueue(echo, 'a');
    await stage.time.settled(handle.result());
    assert.equal(await handle.cancel(), false);
    assert.equal(await handle.state(), 'completed');
  });

  write('a second cancellation of a task that does not run finds nothing', [], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start();
    await queue.pause();
    const handle = await queue.enqueue(held.definition, 'a');
    assert.deepEqual([await handle.cancel(), await handle.cancel()], [true, false]);
  });

  write('another engine can cancel a task that waits', ['shared'], async (stage) => {
    const held = stage.hold();
    const one = await stage.start();
    const other = await stage.start({ runs: false });
    await one.queue.pause();
    const handle = await one.queue.enqueue(held.definition, 'a');
    const cancelled = handled(handle.result());
    assert.equal(await (await other.queue.find(handle.id))!.cancel('from afar'), true);
    assert.match((await stage.rejection(cancelled, 'TASK_CANCELLED')).message, /from afar/);
    await one.queue.resume();
    await stage.time.settled(one.queue.whenIdle());
    assert.deepEqual(held.began, []);
  });

  write('another engine can cancel a task that runs', ['shared'], async (stage) => {
    const held = stage.hold();
    const one = await stage.start();
    const other = await stage.start({ runs: false });
    const handle = await one.queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    const far = await other.queue.find(handle.id);
    const cancelled = handled(far!.result());
    assert.equal(await far!.cancel('from afar'), true);
    await stage.time.until('its signal is aborted', () => held.context('a').signal.aborted);
    await stage.rejection(cancelled, 'TASK_CANCELLED');
    await stage.inState(handle, 'cancelled');
  });

  write('many at once by a filter', ['search'], async (stage) => {
    const held = stage.hold();
    const { queue, engine } = await stage.start();
    await queue.enqueue(held.definition, 'runs', { tags: ['mine'] });
    await stage.begun(held, 'runs');
    await queue.enqueue(held.definition, 'waits', { tags: ['mine'] });
    await queue.enqueue(held.definition, 'later', { tags: ['mine'], delay: stage.moment });
    await queue.enqueue(held.definition, 'other');
    assert.equal(await engine.cancel({ tag: 'mine' }, 'spring cleaning'), 3);
    await stage.begun(held, 'runs', 'other');
    await stage.time.until('all are cancelled', async () => (await engine.counts()).cancelled === 3);
    assert.equal(await engine.cancel({ tag: 'mine' }, 'again'), 0);
  });
});
