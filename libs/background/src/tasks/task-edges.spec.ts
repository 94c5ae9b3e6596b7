import { constant } from 'nestjs-nightshift/channels';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';
import { gate } from '../gate.fixture.js';
import { setup } from './queue.fixture.js';
import { defineTask } from './task-definition.js';
import { setup as setupTyped } from './typed-tasks.fixture.js';

/** A schema that says yes, some turns later. */
function slow<T>(): StandardSchemaV1<T, T> {
  const validate = async (value: unknown) => ({ value: value as T });
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

describe('where the options of tasks meet', () => {
  it('refuses work that waits for itself when it waits for a task with the same deduplicationKey', async () => {
    const { queue } = setup({ capacity: 1, concurrency: 1 });
    const mayGoOn = gate();
    const running = await queue.enqueue(async () => {
      await mayGoOn.opened;
      return queue.enqueue(() => {}, { deduplicationKey: 'k' });
    });
    await queue.enqueue(() => {}); // takes the only room
    const blocked = queue.enqueue(() => {}, { deduplicationKey: 'k' });
    mayGoOn.open();
    await expect(running.result()).rejects.toMatchObject({ code: 'QUEUE_WAITS_FOR_ITSELF' });
    await blocked;
    await queue.whenIdle();
  });

  it('expires a task that has waited for room for too long when its turn comes', async () => {
    const { queue, clock, typesOf } = setup({ capacity: 0, concurrency: 1 });
    const held = gate();
    await queue.enqueue(() => held.opened);
    const calls: unknown[] = [];
    const waiting = queue.enqueue(() => calls.push('ran'), { expiresIn: '1s' });
    await clock.advance('10s');
    held.open();
    const late = await waiting;
    await expect(late.result()).rejects.toMatchObject({ code: 'TASK_EXPIRED' });
    await queue.whenIdle();
    expect(calls).toEqual([]);
    expect(typesOf(late.id)).toEqual(['task.enqueued', 'task.expired']);
    expect([queue.active, queue.size]).toEqual([0, 0]);
  });

  it('takes many due tasks of many priorities in their order', async () => {
    const { queue, clock } = setup({ concurrency: 1 });
    const order: number[] = [];
    const priorities = Array.from({ length: 2_000 }, (_, i) => (i * 7_919) % 2_003);
    for (const priority of priorities) {
      await queue.enqueue(() => order.push(priority), { delay: '1s', priority });
    }
    queue.pause();
    await clock.advance('1s');
    queue.resume();
    await queue.whenIdle();
    expect(order).toEqual(priorities.toSorted((a, b) => a - b));
  });

  it('tells the failure of an attempt that timed out when the application stops before the next', async () => {
    const { queue, runner, clock } = setup();
    const retry = { maxAttempts: 3, backoff: constant('1h') };
    const handle = await queue.enqueue(() => new Promise(() => {}), { timeout: '1s', retry });
    await clock.advance('1s');
    await runner.stop(AbortSignal.abort());
    await expect(handle.result()).rejects.toMatchObject({
      code: 'TASK_ABANDONED',
      cause: { code: 'TASK_TIMED_OUT' },
    });
  });

  it.each([
    [2, [false, true]],
    [1, [true]],
  ])('says which timeout is the last when there are %i attempts', async (maxAttempts, expected) => {
    const { queue, clock, seen } = setup();
    const retry = { maxAttempts, backoff: constant('1s') };
    await queue.enqueue(
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', reject)),
      {
        timeout: '5s',
        retry,
      },
    );
    await clock.advance('1m');
    const timeouts = seen.filter((event) => event.type === 'task.timedOut');
    expect(timeouts.map(({ isLast }) => isLast)).toEqual(expected);
  });

  it('copies all payloads of enqueueMany() at the call when the schema is slow', async () => {
    const { queue, handle, given } = setupTyped();
    const count = defineTask('count', { payload: slow<{ n: number }>() });
    handle(count);
    const payloads = [{ n: 1 }, { n: 2 }, { n: 3 }];
    const enqueued = queue.enqueueMany(count, payloads);
    payloads[1]!.n = 99;
    payloads.pop();
    expect(await enqueued).toHaveLength(3);
    await queue.whenIdle();
    expect(given).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it('tries again when it is the schema that fails, and not the payload', async () => {
    const { queue, handle, given, clock } = setupTyped();
    const answers = [{ value: 'humbug' }, new Error('database down'), { value: 'humbug' }];
    const validate = () => {
      const answer = answers.shift()!;
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const schema: StandardSchemaV1<string, string> = {
      '~standard': { version: 1, vendor: 'test', validate },
    };
    const stir = defineTask('stir', {
      payload: schema,
      retry: { maxAttempts: 2, backoff: constant('1s') },
    });
    handle(stir);
    await queue.enqueue(stir, 'humbug');
    await clock.advance('1s');
    expect(given).toEqual(['humbug']);
  });
});
