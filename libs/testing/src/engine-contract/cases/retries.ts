import assert from 'node:assert/strict';
import { constant, linear } from 'nestjs-nightshift/channels';
import { casesOf } from '../contract-case.js';
import { handled } from '../contract-time.js';

export const retries = casesOf('retries', (write) => {
  write('without retry a task that fails is dead at once', [], async (stage) => {
    const failure = new RangeError('out of range');
    const fail = stage.define<string, void>('fail', () => {
      throw failure;
    });
    const app = await stage.start();
    const handle = await app.queue.enqueue(fail, 'a');
    await assert.rejects(stage.time.settled(handle.result()), (error) => error === failure);
    assert.equal(await handle.state(), 'dead');
    assert.deepEqual(app.lifeOf(handle.id), ['task.enqueued', 'task.started', 'task.failed']);
  });

  write('a failed task is tried again after its backoff, up to maxAttempts', [], async (stage) => {
    const held = stage.hold();
    const app = await stage.start({ retry: { maxAttempts: 3, backoff: constant(stage.moment * 2) } });
    const handle = await app.queue.enqueue(held.definition, 'a');
    const dead = assert.rejects(handle.result(), /failure 3/);
    for (const attempt of [1, 2, 3]) {
      await stage.time.until(`attempt ${attempt} has begun`, () => held.began.length === attempt);
      assert.deepEqual([held.context('a').attempt, held.context('a').maxAttempts], [attempt, 3]);
      held.fail('a', new Error(`failure ${attempt}`));
      if (attempt === 3) break;
      await stage.inState(handle, 'retrying');
      await stage.time.advance(stage.moment);
      assert.equal(held.began.length, attempt, 'not before its time');
      await stage.time.advance(stage.moment * 2);
    }
    await stage.time.settled(dead);
    assert.equal(await handle.state(), 'dead');
    const [attempt1, attempt2, attempt3] = ['task.started', 'task.started', 'task.started'];
    assert.deepEqual(app.lifeOf(handle.id), [
      'task.enqueued',
      attempt1,
      'task.retrying',
      attempt2,
      'task.retrying',
      attempt3,
      'task.failed',
    ]);
    assert.equal(app.eventsOf('task.failed')[0]?.attempt, 3);
  });

  write('a further attempt may succeed', [], async (stage) => {
    const twice = stage.define<string, number>('twice', (_, { attempt }) => {
      if (attempt < 2) throw new Error('not yet');
      return attempt;
    });
    const { queue } = await stage.start();
    const retry = { maxAttempts: 5, backoff: constant(0) };
    const handle = await queue.enqueue(twice, 'a', { retry });
    assert.equal(await stage.time.settled(handle.result()), 2);
  });

  write(
    'what enqueue says of retries wins over the definition, and that over the queue, field by field',
    [],
    async (stage) => {
      const seen: number[] = [];
      const fail = stage.define<string, void>(
        'fail',
        (_, { maxAttempts }) => {
          seen.push(maxAttempts);
          throw new Error('again');
        },
        { retry: { maxAttempts: 2 } },
      );
      const app = await stage.start({ retry: { maxAttempts: 9, backoff: constant(0) } });
      const dead = async (options = {}) => {
        seen.length = 0;
        const handle = await app.queue.enqueue(fail, 'a', options);
        await assert.rejects(stage.time.settled(handle.result()), /again/);
        return [...seen];
      };
      assert.deepEqual(await dead(), [2, 2]);
      assert.deepEqual(await dead({ retry: { maxAttempts: 3 } }), [3, 3, 3]);
    },
  );

  write('a backoff given at enqueue is the one that holds', [], async (stage) => {
    const held = stage.hold();
    const app = await stage.start({ retry: { maxAttempts: 3, backoff: constant(stage.moment * 50) } });
    const retry = { backoff: linear({ initial: stage.moment, increment: stage.moment * 2 }) };
    const handle = await app.queue.enqueue(held.definition, 'a', { retry });
    for (const attempt of [1, 2]) {
      await stage.time.until(`attempt ${attempt} has begun`, () => held.began.length === attempt);
      held.fail('a', new Error('not yet'));
      await stage.inState(handle, 'retrying');
      await stage.time.advance(stage.moment * (attempt === 1 ? 1.5 : 3.5));
    }
    await stage.begun(held, 'a', 'a', 'a');
    const delays = app.eventsOf('task.retrying').map(({ delayMs }) => delayMs);
    assert.deepEqual(delays, [stage.moment, stage.moment * 3]);
  });

  write('retryIf of the queue says which failures are final', [], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start({
      retry: { maxAttempts: 5, backoff: constant(0), retryIf: (error) => !(error instanceof RangeError) },
    });
    const handle = await queue.enqueue(held.definition, 'a');
    const dead = assert.rejects(handle.result(), RangeError);
    await stage.begun(held, 'a');
    held.fail('a', new Error('not yet'));
    await stage.begun(held, 'a', 'a');
    held.fail('a', new RangeError('never'));
    await stage.time.settled(dead);
    assert.equal(await handle.state(), 'dead');
  });

  write('retryIf given at enqueue is the one that holds', ['retryFunctions'], async (stage) => {
    const fail = stage.define<string, void>('fail', () => {
      throw new Error('final');
    });
    const app = await stage.start({ retry: { maxAttempts: 5 } });
    const handle = await app.queue.enqueue(fail, 'a', { retry: { retryIf: () => false } });
    await assert.rejects(stage.time.settled(handle.result()), /final/);
    assert.equal(app.eventsOf('task.retrying').length, 0);
  });

  write('retryAfter puts the task off, which uses up no attempt', [], async (stage) => {
    const attempts: number[] = [];
    const wait = stage.define<string, string>('wait', (_, context) => {
      attempts.push(context.attempt);
      return attempts.length < 4 ? context.retryAfter(stage.moment) : 'done';
    });
    const app = await stage.start();
    const handle = await app.queue.enqueue(wait, 'a');
    for (const times of [1, 2, 3]) {
      await stage.time.until('it has run', () => attempts.length === times);
      await stage.inState(handle, 'retrying');
      await stage.time.advance(stage.moment * 1.2);
    }
    assert.equal(await stage.time.settled(handle.result()), 'done');
    assert.deepEqual(attempts, [1, 1, 1, 1]);
    assert.ok(app.eventsOf('task.retrying').every(({ error }) => error === undefined));
  });

  write('what is put off for longer than any clock can tell is put off all the same', [], async (stage) => {
    const wait = stage.define<string, void>('wait', (how, context) => {
      if (how === 'retryAfter') return context.retryAfter(1e300) as never;
      throw new Error('not for a long time');
    });
    const app = await stage.start({ retry: { maxAttempts: 2, backoff: { delayMs: () => 1e300 } } });
    for (const how of ['backoff', 'retryAfter']) {
      const handle = await app.queue.enqueue(wait, how);
      await stage.inState(handle, 'retrying');
      const { delayMs } = app.eventsOf('task.retrying').at(-1)!;
      assert.ok(Number.isFinite(new Date(Date.now() + delayMs).getTime()), how);
    }
  });

  write('discard ends the task without a further attempt', [], async (stage) => {
    const giveUp = stage.define<string, void>('give-up', (_, context) => context.discard('no such order'));
    const app = await stage.start({ retry: { maxAttempts: 5 } });
    const handle = await app.queue.enqueue(giveUp, 'a');
    const error = await stage.rejection(handle.result(), 'TASK_DISCARDED');
    assert.equal(error.cause, 'no such order');
    assert.equal(await handle.state(), 'discarded');
    assert.deepEqual(app.lifeOf(handle.id), ['task.enqueued', 'task.started', 'task.discarded']);
  });

  write('a task that is to be retried outlives the engine', ['shared'], async (stage) => {
    const held = stage.hold('held', { retry: { maxAttempts: 2, backoff: constant(stage.moment * 2) } });
    const before = await stage.start();
    const handle = await before.queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    held.fail('a', new Error('not yet'));
    await stage.inState(handle, 'retrying');
    await stage.close(before);
    const after = await stage.start();
    await stage.time.advance(stage.moment * 3);
    await stage.begun(held, 'a', 'a');
    assert.equal(held.context('a').attempt, 2);
    held.finish('a');
    const again = await after.queue.find(handle.id);
    assert.equal(await stage.time.settled(again!.result()), 'result of a');
  });

  write('the attempts that failed are kept, with their errors', ['search'], async (stage) => {
    const held = stage.hold('held', { retry: { maxAttempts: 2, backoff: constant(0) } });
    const { queue, engine } = await stage.start();
    const { id } = await queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    held.fail('a', new RangeError('too far', { cause: new Error('the wind') }));
    await stage.begun(held, 'a', 'a');
    const details = await engine.details(id);
    assert.equal(details?.attempt, 2);
    assert.equal(details.maxAttempts, 2);
    assert.equal(details.attempts.length, 1);
    const [{ attempt, outcome, error, startedAt, endedAt }] = details.attempts as [
      (typeof details.attempts)[number],
    ];
    assert.deepEqual({ attempt, outcome }, { attempt: 1, outcome: 'failed' });
    assert.deepEqual(
      [error?.name, error?.message, error?.cause?.message],
      ['RangeError', 'too far', 'the wind'],
    );
    assert.ok(startedAt <= endedAt);
  });
});

export const timeouts = casesOf('timeouts', (write) => {
  write(
    'a timeout aborts the signal, counts as a failure, and says whether it was the last',
    [],
    async (stage) => {
      const held = stage.hold('held', {
        timeout: stage.moment * 2,
        retry: { maxAttempts: 2, backoff: constant(0) },
      });
      const app = await stage.start();
      const handle = await app.queue.enqueue(held.definition, 'a');
      const dead = handled(handle.result());
      await stage.begun(held, 'a');
      const { signal } = held.context('a');
      await stage.time.advance(stage.moment * 2.5);
      assert.equal((signal.reason as { code?: string }).code, 'TASK_TIMED_OUT');
      await stage.begun(held, 'a', 'a');
      await stage.time.advance(stage.moment * 2.5);
      assert.equal((await stage.rejection(dead, 'TASK_TIMED_OUT'))['timeoutMs'], stage.moment * 2);
      assert.equal(await handle.state(), 'dead');
      assert.deepEqual(
        app.eventsOf('task.timedOut').map(({ attempt, isLast }) => ({ attempt, isLast })),
        [
          { attempt: 1, isLast: false },
          { attempt: 2, isLast: true },
        ],
      );
    },
  );

  write("a task's own timeout wins over the queue's, and 'infinite' is none", [], async (stage) => {
    const held = stage.hold();
    const { queue } = await stage.start({ concurrency: 3, timeout: stage.moment * 2 });
    const usual = await queue.enqueue(held.definition, 'usual');
    const longer = await queue.enqueue(held.definition, 'longer', { timeout: stage.moment * 4 });
    const endless = await queue.enqueue(held.definition, 'endless', { timeout: 'infinite' });
    const dead = [usual, longer].map((handle) => handled(handle.result()));
    await stage.begun(held, 'usual', 'longer', 'endless');
    await stage.time.advance(stage.moment * 3);
    await stage.inState(usual, 'dead');
    assert.equal(await longer.state(), 'active');
    await stage.time.advance(stage.moment * 2);
    await stage.inState(longer, 'dead');
    for (const each of dead) await stage.rejection(each, 'TASK_TIMED_OUT');
    await stage.time.advance(stage.moment * 10);
    assert.equal(await endless.state(), 'active');
  });

  write('the next attempt does not begin before the work of the last has ended', [], async (stage) => {
    const held = stage.hold('held', {
      heedsSignal: false,
      timeout: stage.moment,
      retry: { maxAttempts: 2, backoff: constant(0) },
    });
    const { queue } = await stage.start({ concurrency: 2 });
    const handle = await queue.enqueue(held.definition, 'a');
    await stage.begun(held, 'a');
    await stage.time.advance(stage.moment * 5);
    await stage.begun(held, 'a');
    held.finish('a');
    await stage.begun(held, 'a', 'a');
    held.finish('a', 'in time');
    assert.equal(await stage.time.settled(handle.result()), 'in time');
  });
});
