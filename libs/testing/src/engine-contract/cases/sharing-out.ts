import assert from 'node:assert/strict';
import { constant } from 'nestjs-nightshift/channels';
import { casesOf } from '../contract-case.js';

export const sharingOut = casesOf('sharing out', (write) => {
  write(
    'of one concurrencyKey one task runs at a time, and nobody else waits for it',
    ['concurrencyKey'],
    async (stage) => {
      const held = stage.hold();
      const { queue } = await stage.start({ concurrency: 4 });
      const options = { concurrencyKey: 'k' };
      for (const name of ['a', 'b', 'c']) await queue.enqueue(held.definition, name, options);
      await queue.enqueue(held.definition, 'free');
      await stage.begun(held, 'a', 'free');
      await stage.time.breathe();
      held.finish('a');
      await stage.begun(held, 'a', 'free', 'b');
      held.finish('b');
      await stage.begun(held, 'a', 'free', 'b', 'c');
    },
  );

  write('as many tasks of a concurrencyKey run as its limit says', ['concurrencyKey'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start({ concurrency: 4 });
    const options = { concurrencyKey: { key: 'k', limit: 2 } };
    for (const name of ['a', 'b', 'c', 'd']) await queue.enqueue(held.definition, name, options);
    await stage.begun(held, 'a', 'b');
    await stage.time.breathe();
    held.finish('b');
    await stage.begun(held, 'a', 'b', 'c');
    held.finish('a');
    await stage.begun(held, 'a', 'b', 'c', 'd');
  });

  write('the concurrencyKey is free again whatever became of the task', ['concurrencyKey'], async (stage) => {
    const held = stage.hold('held', { retry: { maxAttempts: 2, backoff: constant(stage.moment * 2) } });
    const { queue } = await stage.start({ concurrency: 4 });
    const enqueue = (name: string) => queue.enqueue(held.definition, name, { concurrencyKey: 'k' });
    await enqueue('retried');
    const running = await enqueue('cancelled');
    const waiting = await enqueue('cancelled while it waits');
    await enqueue('last');
    await stage.begun(held, 'retried');
    assert.equal(await waiting.cancel(), true);
    held.fail('retried', new Error('not yet'));
    await stage.begun(held, 'retried', 'cancelled');
    assert.equal(await running.cancel(), true);
    await stage.begun(held, 'retried', 'cancelled', 'last');
    held.finish('last');
    await stage.time.advance(stage.moment * 3);
    await stage.begun(held, 'retried', 'cancelled', 'last', 'retried');
  });

  write(
    'of the tasks that a concurrencyKey holds back the most urgent is next, among equals the oldest',
    ['concurrencyKey', 'priority'],
    async (stage) => {
      const held = stage.hold();
      const { queue } = await stage.start({ concurrency: 8 });
      const enqueue = (name: string, priority: number) =>
        queue.enqueue(held.definition, name, { concurrencyKey: 'k', priority });
      await enqueue('running', 0);
      await stage.begun(held, 'running');
      const waiting = [
        ['usual', 0],
        ['idle', 5],
        ['urgent', -10],
        ['usual too', 0],
        ['urgent too', -10],
      ] as const;
      for (const [name, priority] of waiting) await enqueue(name, priority);
      await stage.time.breathe();
      const order = ['running', 'urgent', 'urgent too', 'usual', 'usual too', 'idle'];
      for (const [index, name] of order.entries()) {
        await stage.begun(held, ...order.slice(0, index + 1));
        held.finish(name);
      }
    },
  );

  write('a task held back by its concurrencyKey says so', ['concurrencyKey', 'search'], async (stage) => {
    const held = stage.hold();
    const { queue, engine } = await stage.start({ concurrency: 4 });
    await queue.enqueue(held.definition, 'a', { concurrencyKey: 'k' });
    const second = await queue.enqueue(held.definition, 'b', { concurrencyKey: 'k' });
    await stage.begun(held, 'a');
    const heldBack = async () => (await engine.details(second.id))?.heldBack;
    await stage.time.until('it is held back', async () => (await heldBack()) === 'concurrencyKey');
    assert.equal((await engine.counts()).heldBack, 1);
    assert.equal(await second.state(), 'waiting');
    held.finish('a');
    await stage.begun(held, 'a', 'b');
    assert.equal(await heldBack(), undefined);
    assert.equal((await engine.counts()).heldBack, 0);
  });

  write('the concurrencyKey holds across engines', ['concurrencyKey', 'shared'], async (stage) => {
    const held = stage.hold();
    const one = await stage.start({ concurrency: 4 });
    await stage.start({ concurrency: 4 });
    for (const name of ['a', 'b']) await one.queue.enqueue(held.definition, name, { concurrencyKey: 'k' });
    await stage.begun(held, 'a');
    await stage.time.breathe();
    await stage.begun(held, 'a');
    held.finish('a');
    await stage.time.until('the next one runs', () => held.began.length === 2);
    await stage.begun(held, 'a', 'b');
  });

  write('no more attempts begin in a stretch of time than the rate allows', ['rateLimit'], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start({
      concurrency: 10,
      rateLimit: { max: 2, per: stage.moment * 2 },
    });
    const handles = await queue.enqueueMany(held.definition, ['a', 'b', 'c', 'd', 'e']);
    await stage.begun(held, 'a', 'b');
    await stage.time.advance(stage.moment);
    await stage.begun(held, 'a', 'b');
    await stage.time.advance(stage.moment * 1.5);
    await stage.begun(held, 'a', 'b', 'c', 'd');
    await stage.time.advance(stage.moment * 2.5);
    await stage.begun(held, 'a', 'b', 'c', 'd', 'e');
    for (const handle of handles) assert.equal(await handle.state(), 'active');
  });

  write('all engines share the rate', ['rateLimit', 'shared'], async (stage) => {
    const held = stage.hold();
    const options = { concurrency: 10, rateLimit: { max: 2, per: stage.moment * 3 } };
    const one = await stage.start(options);
    await stage.start(options);
    await one.queue.enqueueMany(held.definition, ['a', 'b', 'c']);
    await stage.time.until('two have begun', () => held.began.length === 2);
    await stage.time.advance(stage.moment);
    assert.equal(held.began.length, 2);
    await stage.time.advance(stage.moment * 3);
    await stage.time.until('the third has begun', () => held.began.length === 3);
  });
});
