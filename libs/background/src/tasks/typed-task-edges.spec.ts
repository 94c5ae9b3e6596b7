import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../error-of.fixture.js';
import { gate } from '../gate.fixture.js';
import type { TaskContext } from '../scopes/context.js';
import { defineTask } from './task-definition.js';
import { setup } from './typed-tasks.fixture.js';

/** A schema that takes its time, and how often it was asked. */
function slowSchema() {
  const asked: (() => void)[] = [];
  const schema: StandardSchemaV1<string> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => new Promise((resolve) => asked.push(() => resolve({ value: value as string }))),
    },
  };
  const answer = (): void => asked.at(-1)!();
  return { schema, asked, answer };
}

describe('a typed task with an asynchronous schema', () => {
  it('is not handled when it is cancelled while the schema runs', async () => {
    const { queue, clock, handle, given } = setup();
    const { schema, answer } = slowSchema();
    const cook = defineTask('cook', { payload: schema });
    handle(cook);
    const enqueued = queue.enqueue(cook, 'fudge');
    answer();
    const task = await enqueued;
    await clock.advance(0);
    await task.cancel('no sugar');
    answer();
    await clock.advance(0);
    expect([given, await task.state(), queue.active]).toEqual([[], 'cancelled', 0]);
  });

  it('is handled in its next attempt when it timed out while the schema ran', async () => {
    const { queue, clock, handle, given } = setup();
    const { schema, answer } = slowSchema();
    const cook = defineTask('cook', {
      payload: schema,
      retry: { maxAttempts: 2, backoff: { delayMs: () => 0 } },
    });
    handle(cook);
    const enqueued = queue.enqueue(cook, 'fudge', { timeout: '1s' });
    answer();
    const task = await enqueued;
    await clock.advance('1s');
    answer();
    await clock.advance(0);
    expect([given, await task.state()]).toEqual([[], 'active']);
    answer();
    await clock.advance(0);
    expect([given, await task.state()]).toEqual([['fudge'], 'completed']);
  });
});

describe('enqueue with a signal', () => {
  it('asks no schema when the signal is aborted before', async () => {
    const { queue, handle } = setup();
    const { schema, asked } = slowSchema();
    const cook = defineTask('cook', { payload: schema });
    handle(cook);
    const signal = AbortSignal.abort('left');
    expect(await errorOf(queue.enqueue(cook, 'fudge', { signal }))).toBe('left');
    expect(await errorOf(queue.enqueueMany(cook, ['fudge'], { signal }))).toBe('left');
    expect(asked).toEqual([]);
  });

  it('accepts nothing when the signal is aborted while the schema runs', async () => {
    const { queue, handle } = setup();
    const { schema, answer } = slowSchema();
    const cook = defineTask('cook', { payload: schema });
    handle(cook);
    const leaving = new AbortController();
    const enqueued = errorOf(queue.enqueue(cook, 'fudge', { signal: leaving.signal }));
    leaving.abort('left');
    answer();
    expect([await enqueued, queue.size + queue.active]).toEqual(['left', 0]);
  });
});

describe('a handle that is kept', () => {
  it('keeps neither the signal that the task was enqueued with, nor what it said', async () => {
    const { queue, registry, handle } = setup({ retention: { completed: { count: 0 } } });
    const cook = defineTask<string>('cook');
    handle(cook, (_, context) => context.log('done'));
    const { signal } = new AbortController();
    const task = await queue.enqueue(cook, 'fudge', { signal, metadata: { tenant: 7 } });
    await task.result();
    await queue.whenIdle();
    expect(await registry.engine('default').details(task.id)).toBeUndefined();
    expect(task).toMatchObject({ options: { signal: undefined, metadata: {} }, writtenLog: undefined });
  });

  it('keeps no signal while the task is kept to be retried', async () => {
    const { queue, clock, handle } = setup();
    const cook = defineTask<string>('cook');
    handle(cook, () => Promise.reject(new Error('burnt')));
    const { signal } = new AbortController();
    const task = await queue.enqueue(cook, 'fudge', { signal, metadata: { tenant: 7 } });
    await clock.advance(0);
    expect(task).toMatchObject({ options: { signal: undefined, metadata: { tenant: 7 } } });
  });
});

describe('a context that is kept', () => {
  it('says nothing more of its task when the attempt is over', async () => {
    const { queue, registry, clock, handle } = setup();
    const held = gate();
    const stir = defineTask('stir', { retry: { maxAttempts: 2, backoff: { delayMs: () => 0 } } });
    const contexts: TaskContext[] = [];
    handle(stir, (_, context) => {
      if (context.attempt === 2) return held.opened;
      contexts.push(context);
      throw new Error('stuck');
    });
    const { id } = await queue.enqueue(stir);
    await clock.advance(0);
    contexts[0]!.log('too late');
    expect((await registry.engine('default').details(id))!.log).toEqual([]);
    held.open();
  });
});
