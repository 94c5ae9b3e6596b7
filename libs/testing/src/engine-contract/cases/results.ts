import assert from 'node:assert/strict';
import { casesOf } from '../contract-case.js';
import { handled } from '../contract-time.js';

class OrderError extends Error {
  override readonly name = 'OrderError';
  readonly code = 'ORDER_LOST';
}

export const results = casesOf('results', (write) => {
  write('whatever JSON can carry comes back as it was', [], async (stage) => {
    const values = [null, 0, '', false, [1, [2, { three: '✓ 🌙' }]], { a: { b: null } }];
    const echo = stage.define<number, unknown>('echo', (index) => values[index]);
    const { queue } = await stage.start();
    for (const [index, value] of values.entries()) {
      const handle = await queue.enqueue(echo, index);
      assert.deepEqual(await stage.time.settled(handle.result()), value);
    }
  });

  write('no result is undefined', [], async (stage) => {
    const nothing = stage.define<string, void>('nothing', () => undefined);
    const { queue } = await stage.start();
    const handle = await queue.enqueue(nothing, 'a');
    assert.equal(await stage.time.settled(handle.result()), undefined);
  });

  write('whoever asks late, or several times, gets the same', [], async (stage) => {
    const echo = stage.define<string, string>('echo', (text) => text);
    const { queue } = await stage.start();
    const handle = await queue.enqueue(echo, 'a');
    await stage.inState(handle, 'completed');
    const all = Promise.all([handle.result(), handle.result(), (await queue.find(handle.id))!.result()]);
    assert.deepEqual(await stage.time.settled(all), ['a', 'a', 'a']);
  });

  write('another engine waits for the result too', ['shared'], async (stage) => {
    const held = stage.hold();
    const one = await stage.start();
    const other = await stage.start({ runs: false });
    const { id } = await one.queue.enqueue(held.definition, 'a');
    const far = (await other.queue.find(id))!.result();
    await stage.begun(held, 'a');
    assert.ok(await stage.time.isPending(far));
    held.finish('a');
    assert.equal(await stage.time.settled(far), 'result of a');
  });

  write('another engine waits in vain when the task is not kept, and is told', ['shared'], async (stage) => {
    const held = stage.hold();
    const retention = { completed: { count: 0 } };
    const one = await stage.start({ retention });
    const other = await stage.start({ retention, runs: false });
    const handle = await other.queue.enqueue(held.definition, 'a');
    const next = await other.queue.enqueue(held.definition, 'b');
    const far = handled(handle.result());
    const waiting = handled(next.result());
    const near = (await one.queue.find(handle.id))!.result();
    await stage.begun(held, 'a');
    assert.ok(await stage.time.isPending(Promise.race([far, waiting])), 'one runs and the other waits');
    held.finish('a');
    assert.equal(await stage.time.settled(near), 'result of a');
    await stage.rejection(far, 'UNKNOWN_TASK');
    await stage.begun(held, 'a', 'b');
    assert.ok(await stage.time.isPending(waiting), 'it runs');
  });

  write('an engine that is opened later knows the result', ['shared'], async (stage) => {
    const echo = stage.define<string, string>('echo', (text) => text);
    const before = await stage.start();
    const handle = await before.queue.enqueue(echo, 'a');
    await stage.time.settled(handle.result());
    await stage.close(before);
    const after = await stage.start();
    assert.equal(await stage.time.settled((await after.queue.find(handle.id))!.result()), 'a');
  });

  write('an error tells elsewhere what it was, with its causes', ['shared'], async (stage) => {
    const fail = stage.define<string, void>('fail', () => {
      throw new OrderError('the order is lost', { cause: new TypeError('no such table') });
    });
    const one = await stage.start();
    const handle = await one.queue.enqueue(fail, 'a');
    await assert.rejects(stage.time.settled(handle.result()), OrderError);
    const other = await stage.start({ runs: false });
    const far = (await other.queue.find(handle.id))!;
    const error = await stage.rejection(far.result(), 'TASK_FAILED');
    assert.equal(error.message, 'the order is lost');
    const cause = error.cause as Error & { code?: string };
    assert.deepEqual(
      [cause.name, cause.code, cause.message],
      ['OrderError', 'ORDER_LOST', 'the order is lost'],
    );
    assert.ok(cause.stack?.includes('OrderError') || cause.stack?.includes('the order is lost'));
    assert.deepEqual(
      [(cause.cause as Error).name, (cause.cause as Error).message],
      ['TypeError', 'no such table'],
    );
  });

  write('whatever is thrown is a failure that can be read', ['search'], async (stage) => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    const hostile = new Error('endless');
    hostile.cause = hostile;
    const thrown: readonly unknown[] = [
      'a text',
      undefined,
      null,
      42n,
      Symbol('a symbol'),
      cyclic,
      hostile,
      new AggregateError([new Error('one'), new Error('two')], 'both'),
      Object.defineProperty(new Error('x'), 'message', {
        get: () => {
          throw new Error('a hostile getter');
        },
      }),
      new Proxy(new Error('x'), {
        get: () => {
          throw new Error('a hostile proxy');
        },
      }),
      new Error(`half a pair: \ud800, and a NUL: \u0000, ${'long'.repeat(20_000)}`),
    ];
    const fail = stage.define<number, void>('fail', (index) => Promise.reject(thrown[index] as Error));
    const { queue, engine } = await stage.start();
    for (const index of thrown.keys()) {
      const handle = await queue.enqueue(fail, index);
      await stage.inState(handle, 'dead');
      const error = (await engine.details(handle.id))?.error;
      assert.equal(typeof error?.message, 'string', `thrown ${index}`);
      assert.equal(typeof error?.name, 'string', `thrown ${index}`);
      assert.doesNotThrow(() => JSON.stringify(error));
    }
    const { tasks } = await engine.search({ error: 'both' });
    assert.deepEqual(
      tasks[0]?.error?.errors?.map(({ message }) => message),
      ['one', 'two'],
    );
  });

  write('a result that cannot be kept is lost, and the task completed', ['durable'], async (stage) => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    const values = [1n, cyclic, Number.NaN, new Map(), () => 1, 'x'.repeat(2_000_000), '\ud800'];
    const give = stage.define<number, unknown>('give', (index) => values[index]);
    const app = await stage.start();
    for (const index of values.keys()) {
      const handle = await app.queue.enqueue(give, index);
      await stage.rejection(handle.result(), 'TASK_RESULT_LOST');
      assert.equal(await handle.state(), 'completed', `value ${index}`);
      assert.ok(app.lifeOf(handle.id).includes('task.resultLost'));
      const again = (await app.queue.find(handle.id))!;
      await stage.rejection(again.result(), 'TASK_RESULT_LOST');
    }
  });

  write('a task that is kept no longer is not found', ['search'], async (stage) => {
    const echo = stage.define<string, string>('echo', (text) => text);
    const { queue, engine } = await stage.start();
    const handle = await queue.enqueue(echo, 'a');
    await stage.inState(handle, 'completed');
    assert.equal(await engine.remove({ ids: [handle.id] }), 1);
    assert.equal(await queue.find(handle.id), undefined);
  });

  write('a handle of a stored task that is kept no longer says so', ['durable', 'search'], async (stage) => {
    const echo = stage.define<string, string>('echo', (text) => text);
    const { queue, engine } = await stage.start();
    const handle = await queue.enqueue(echo, 'a');
    await stage.inState(handle, 'completed');
    await engine.remove({ ids: [handle.id] });
    await stage.rejection(handle.result(), 'UNKNOWN_TASK');
    await stage.rejection(handle.state(), 'UNKNOWN_TASK');
    assert.equal(await handle.cancel(), false);
  });
});

export const notes = casesOf('progress and log', (write) => {
  write('what a running task says of itself can be looked at', ['progress', 'search'], async (stage) => {
    const held = stage.hold();
    const { queue, engine } = await stage.start();
    const { id } = await queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    held.context('a').progress(0.25, 'a quarter');
    held.context('a').log('first line');
    held.context('a').log('second line');
    await stage.time.until('it shows', async () => (await engine.details(id))?.log.length === 2);
    const details = await engine.details(id);
    assert.deepEqual([details?.progress?.value, details?.progress?.message], [0.25, 'a quarter']);
    assert.deepEqual(
      details?.log.map(({ message }) => message),
      ['first line', 'second line'],
    );
    held.context('a').progress(0.5);
    await stage.time.until('it has moved', async () => (await engine.details(id))?.progress?.value === 0.5);
  });

  write(
    'another engine sees it, and it stays when the task has ended',
    ['progress', 'search', 'shared'],
    async (stage) => {
      const held = stage.hold();
      const one = await stage.start();
      const other = await stage.start({ runs: false });
      const handle = await one.queue.enqueue(held.definition, 'a');
      await stage.begun(held, 'a');
      held.context('a').log('on my way');
      const seen = async () => (await other.engine.details(handle.id))?.log.map(({ message }) => message);
      await stage.time.until('the other sees it', async () => (await seen())?.length === 1);
      held.context('a').log('there');
      held.finish('a');
      await stage.inState(handle, 'completed');
      await stage.time.until('all of it is kept', async () => (await seen())?.length === 2);
      assert.deepEqual(await seen(), ['on my way', 'there']);
    },
  );

  write('the last 100 lines are kept, whatever they contain', ['progress', 'search'], async (stage) => {
    const chatty = stage.define<string, void>('chatty', (_, context) => {
      for (let i = 1; i <= 250; i += 1) context.log(`line ${i}`);
      context.log(`'); DROP TABLE tasks; -- \u0000 \ud800 🌙 ${'x'.repeat(10_000)}`);
    });
    const { queue, engine } = await stage.start();
    const handle = await queue.enqueue(chatty, 'a');
    await stage.inState(handle, 'completed');
    const lines = async () => (await engine.details(handle.id))?.log ?? [];
    await stage.time.until('all of it is kept', async () => (await lines()).length === 100);
    const kept = await lines();
    assert.equal(kept[0]?.message, 'line 152');
    assert.ok(kept[99]?.message.startsWith("'); DROP TABLE tasks; -- \ufffd \ufffd 🌙"));
    assert.equal(kept[99]?.message.length, 2_000);
  });
});
