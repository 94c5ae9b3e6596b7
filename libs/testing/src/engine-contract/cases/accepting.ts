import assert from 'node:assert/strict';
import type { PartlyEnqueuedError, TaskContext } from 'nestjs-nightshift';
import { casesOf } from '../contract-case.js';
import { handled } from '../contract-time.js';

export const accepting = casesOf('accepting', (write) => {
  write('a typed task runs with its payload, and its result is what the handler gives', [], async (stage) => {
    const sum = stage.define<{ a: number; b: number }, number>('sum', ({ a, b }) => a + b);
    const { queue } = await stage.start();
    const handle = await queue.enqueue(sum, { a: 1, b: 2 });
    assert.equal(handle.queue, queue.name);
    assert.equal(handle.name, 'sum');
    assert.equal(await stage.time.settled(handle.result()), 3);
    assert.equal(await handle.state(), 'completed');
  });

  write('a closure runs, and its result is as it was given', ['closures'], async (stage) => {
    const { queue } = await stage.start();
    const result = new Map([[1n, Symbol.iterator]]);
    const handle = await queue.enqueue(() => result, { name: 'make a map' });
    assert.equal(handle.name, 'make a map');
    assert.equal(await stage.time.settled(handle.result()), result);
  });

  write('the work finds in its context what was said at enqueue', [], async (stage) => {
    const seen: TaskContext[] = [];
    const look = stage.define<string, void>('look', (_, context) => void seen.push(context));
    const { queue } = await stage.start();
    const options = { name: 'look twice', tags: ['a', 'b'], metadata: { tenant: 7 } };
    const handle = await queue.enqueue(look, 'x', { ...options, retry: { maxAttempts: 3 } });
    await stage.time.settled(handle.result());
    const [context] = seen;
    assert.ok(context !== undefined && seen.length === 1);
    const { id, name, attempt, maxAttempts, tags, metadata } = context;
    assert.deepEqual(
      { id, name, queue: context.queue },
      { id: handle.id, name: 'look twice', queue: queue.name },
    );
    assert.deepEqual({ attempt, maxAttempts }, { attempt: 1, maxAttempts: 3 });
    assert.deepEqual(
      { tags: [...tags], metadata: { ...metadata } },
      { tags: ['a', 'b'], metadata: { tenant: 7 } },
    );
    assert.ok(Math.abs(context.enqueuedAt.getTime() - stage.time.clock.now()) < 60_000);
  });

  write('tasks are accepted before anything runs, and run when it does', ['shared'], async (stage) => {
    const held = stage.hold();
    const producer = await stage.start({ runs: false });
    await producer.queue.enqueue(held.definition, 'a');
    assert.ok(await stage.time.isPending(producer.queue.whenIdle()));
    assert.deepEqual(held.began, []);
    await stage.start();
    await stage.begun(held, 'a');
  });

  write('what was accepted is there for a second engine at once', ['shared'], async (stage) => {
    const held = stage.hold();
    const one = await stage.start({ runs: false });
    const other = await stage.start({ runs: false });
    const { id } = await one.queue.enqueue(held.definition, 'a');
    const found = await other.queue.find(id);
    assert.ok(found !== undefined);
    assert.deepEqual([found.id, found.name, await found.state()], [id, 'held', 'waiting']);
  });

  write(
    'what was accepted is there after the engine was closed and another opened',
    ['shared'],
    async (stage) => {
      const held = stage.hold();
      const before = await stage.start({ runs: false });
      for (const name of ['a', 'b', 'c']) await before.queue.enqueue(held.definition, name);
      await stage.close(before);
      await stage.start({ concurrency: 3 });
      await stage.begun(held, 'a', 'b', 'c');
    },
  );

  write('an engine that was closed can be opened again', ['shared'], async (stage) => {
    const held = stage.hold();
    const onEngine = stage.createEngine();
    const before = await stage.start({ onEngine, runs: false });
    await before.queue.enqueue(held.definition, 'a');
    await stage.close(before);
    await stage.start({ onEngine });
    await stage.begun(held, 'a');
  });

  write('several tasks are accepted in order, with a handle for each', [], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start({ concurrency: 3 });
    const handles = await queue.enqueueMany(held.definition, ['a', 'b', 'c']);
    assert.equal(new Set(handles.map(({ id }) => id)).size, 3);
    await stage.begun(held, 'a', 'b', 'c');
    for (const name of ['c', 'b', 'a']) held.finish(name);
    const results = Promise.all(handles.map((handle) => handle.result()));
    assert.deepEqual(await stage.time.settled(results), ['result of a', 'result of b', 'result of c']);
  });

  write('of several payloads none is accepted when one is wrong', ['search'], async (stage) => {
    const any = stage.define<unknown, void>('any', () => undefined);
    const { queue, engine } = await stage.start({ runs: false });
    const error = await stage.rejection(queue.enqueueMany(any, [1, 2n, 3]), 'INVALID_PAYLOAD');
    assert.equal(error['index'], 1);
    assert.deepEqual((await engine.search({})).tasks, []);
  });

  write(
    'of several payloads those that there was room for are accepted, and no other later',
    ['capacity', 'search'],
    async (stage) => {
      const held = stage.hold();
      const { queue, engine } = await stage.start({ capacity: 3 });
      await queue.pause();
      const { signal, gone, leave } = caller();
      const enqueued = handled(queue.enqueueMany(held.definition, ['a', 'b', 'c', 'd', 'e'], { signal }));
      const waiting = async (): Promise<number> => (await engine.counts()).waiting;
      await stage.time.until('it is full', async () => (await waiting()) === 3);
      assert.ok(await stage.time.isPending(enqueued));
      leave();
      const error = await stage.rejection(enqueued, 'PARTLY_ENQUEUED');
      assert.equal(error.cause, gone);
      const ids = handlesOf(error).map(({ id }) => id);
      const { tasks } = await engine.search({ order: 'oldest' });
      assert.deepEqual(
        ids,
        tasks.map(({ id }) => id),
      );
      await handlesOf(error)[0]!.cancel();
      await stage.time.breathe();
      assert.equal(await waiting(), 2);
    },
  );

  write(
    'of several payloads those are accepted that no other task stands in the way of',
    ['deduplicationKey', 'search'],
    async (stage) => {
      const held = stage.hold('held', {
        deduplicationKey: (payload: string) => ({ key: payload, onConflict: 'reject' }),
      });
      const { queue, engine } = await stage.start();
      await queue.pause();
      const error = await stage.rejection(
        queue.enqueueMany(held.definition, ['a', 'b', 'a']),
        'PARTLY_ENQUEUED',
      );
      assert.equal((error.cause as { code?: string }).code, 'DUPLICATE_TASK');
      assert.equal(handlesOf(error).length, 2);
      assert.equal((await engine.counts()).waiting, 2);
    },
  );

  write(
    'of several payloads those are accepted that come before the queue is closed',
    ['capacity', 'shared'],
    async (stage) => {
      const held = stage.hold();
      const app = await stage.start({ capacity: 2, runs: false });
      const enqueued = handled(app.queue.enqueueMany(held.definition, ['a', 'b', 'c']));
      await stage.time.until('it is full', async () => (await app.engine.counts()).waiting === 2);
      await stage.close(app);
      const error = await stage.rejection(enqueued, 'PARTLY_ENQUEUED');
      assert.equal((error.cause as { code?: string }).code, 'QUEUE_CLOSED');
      assert.equal(handlesOf(error).length, 2);
    },
  );

  write('many callers at once each get a task of their own', [], async (stage) => {
    const echo = stage.define<number, number>('echo', (value) => value);
    const { queue } = await stage.start({ concurrency: 20, capacity: 500 });
    const numbers = Array.from({ length: 300 }, (_, index) => index);
    const handles = await stage.time.settled(Promise.all(numbers.map((each) => queue.enqueue(echo, each))));
    assert.equal(new Set(handles.map(({ id }) => id)).size, numbers.length);
    const results = Promise.all(handles.map((handle) => handle.result()));
    assert.deepEqual(await stage.time.settled(results), numbers);
  });

  write(
    'at once or never: a handle while there is room, nothing when it is full',
    ['tryEnqueue'],
    async (stage) => {
      const held = stage.hold();
      const { queue } = await stage.start({ capacity: 1 });
      assert.ok(queue.tryEnqueue(held.definition, 'runs'));
      await stage.begun(held, 'runs');
      assert.ok(queue.tryEnqueue(held.definition, 'waits'));
      assert.equal(queue.tryEnqueue(held.definition, 'too much'), undefined);
    },
  );

  write('nothing is accepted when the signal is aborted before', ['search'], async (stage) => {
    const held = stage.hold();
    const { queue, engine } = await stage.start({ runs: false });
    const reason = new Error('the caller has gone');
    const enqueued = queue.enqueue(held.definition, 'a', { signal: AbortSignal.abort(reason) });
    await assert.rejects(enqueued, (error) => error === reason);
    assert.deepEqual((await engine.search({})).tasks, []);
  });

  write('a wrong option is refused, and nothing is accepted', ['search'], async (stage) => {
    const held = stage.hold();
    const { queue, engine } = await stage.start({ runs: false });
    for (const options of [
      { delay: -1 },
      { priority: 0.5 },
      { prioritiy: 1 },
      { delay: 1, runAt: 1 },
      { tags: [''] },
    ])
      await stage.rejection(
        (async () => queue.enqueue(held.definition, 'a', options as never))(),
        'INVALID_OPTIONS',
      );
    assert.deepEqual((await engine.search({})).tasks, []);
  });

  write('the queues of one engine keep apart', [], async (stage) => {
    const held = stage.hold();
    const app = await stage.start({ queues: [{ name: 'others' }] });
    const others = app.queueNamed('others');
    await app.queue.enqueue(held.definition, 'a');
    const handle = await others.enqueue(held.definition, 'b');
    await stage.time.until('both run, each in its own queue', () => held.began.length === 2);
    assert.equal(held.context('b').queue, 'others');
    assert.equal(await app.queue.find(handle.id), undefined);
    assert.equal((await others.find(handle.id))?.id, handle.id);
  });

  write('a task that there is not is not found', [], async (stage) => {
    const { queue } = await stage.start();
    for (const id of ['nothing', '1', '', '1-AAAAAAAAAAAA', "' OR 1=1 --", '9'.repeat(400)])
      assert.equal(await queue.find(id), undefined);
  });
});

/** Somebody who enqueues, and goes when it takes too long. */
function caller(): { readonly signal: AbortSignal; readonly gone: Error; leave(): void } {
  const controller = new AbortController();
  const gone = new Error('the caller has gone');
  return { signal: controller.signal, gone, leave: () => controller.abort(gone) };
}

function handlesOf(error: Readonly<Record<string, unknown>>): PartlyEnqueuedError['handles'] {
  return error['handles'] as PartlyEnqueuedError['handles'];
}
