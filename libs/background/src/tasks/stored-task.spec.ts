import { constant, exponential, linear, type Backoff } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { resolveEnqueueOptions, type EnqueueOptions } from './enqueue.options.js';
import { retryDefaults } from './retry-policy.js';
import { toLocalTask, toNewTask } from './stored-task.js';
import { definedTask, defineTask, type TaskDefinitionOptions } from './task-definition.js';
import { TaskHandlers } from './task-handlers.js';

const owner = {
  name: 'q',
  madeAtMs: 0,
  retryOptions: retryDefaults,
  onBegun: () => {},
  onCancelled: () => {},
};
const target = { queue: 'q', engine: 'store', retry: retryDefaults };
const now = 1_000_000;

function setup(definition: TaskDefinitionOptions<unknown> = {}) {
  const task = definedTask(defineTask<unknown>('wrap', definition))!;
  const handlers = new TaskHandlers();
  handlers.add({ definition: task, label: 'Wrapper', handle: () => undefined });
  const store = (options?: EnqueueOptions) => {
    const resolved = resolveEnqueueOptions(options, task.defaults);
    const typed = { definition: 'wrap', payload: '7', defaults: task.defaults };
    return toNewTask(target, { work: () => undefined, options: resolved, typed }, now);
  };
  const comeBack = (options?: EnqueueOptions) =>
    toLocalTask(
      owner,
      { ...store(options), id: '1-x', claim: 1, attempt: 1, keyUntilMs: undefined },
      handlers,
    );
  return { store, comeBack };
}

describe('a stored task', () => {
  it('keeps nothing that its definition says', () => {
    const { store } = setup({ timeout: '1s', retry: { maxAttempts: 3, backoff: constant(1) } });
    expect(store().options).toBeUndefined();
    expect(store({ tags: ['a'] }).options).toBeUndefined();
  });

  it.each<[string, Backoff]>([
    ['constant', constant('5s')],
    ['linear', linear({ initial: '1s', increment: '2s', max: '1h' })],
    ['exponential', exponential({ initial: '1s', factor: 3, max: '1h' })],
  ])('comes back with the %s backoff that enqueue() was given', (_, backoff) => {
    const { comeBack } = setup({ retry: { maxAttempts: 9, backoff: constant(1) } });
    const { retry } = comeBack({ retry: { backoff } });
    expect(retry.maxAttempts).toBe(9);
    for (const attempt of [1, 2, 5, 50])
      expect(retry.backoff.delayMs(attempt)).toBe(backoff.delayMs(attempt));
  });

  it.each([
    ['1s', 1_000],
    ['infinite', Number.POSITIVE_INFINITY],
    [undefined, 5_000],
  ] as const)('comes back with a timeout of %s', (timeout, timeoutMs) => {
    const { comeBack } = setup({ timeout: '5s' });
    expect(comeBack({ timeout }).options.timeoutMs).toBe(timeoutMs);
  });

  it('comes back with its name, tags, metadata, priority and attempts', () => {
    const { comeBack } = setup();
    const options = {
      name: 'n',
      tags: ['a'],
      metadata: { tenant: 7 },
      priority: -1,
      retry: { maxAttempts: 4 },
    };
    const task = comeBack(options);
    expect([
      task.name,
      task.options.tags,
      task.options.metadata,
      task.options.priority,
      task.maxAttempts,
    ]).toEqual(['n', ['a'], { tenant: 7 }, -1, 4]);
  });

  it('has its times as instants', () => {
    const { store } = setup();
    expect(store({ delay: '1s', expiresIn: '2s' })).toMatchObject({
      enqueuedAtMs: now,
      dueAtMs: now + 1_000,
      expiresAtMs: now + 2_000,
    });
    expect(store({ runAt: now - 1 }).dueAtMs).toBeUndefined();
    expect(store({ delay: Number.MAX_SAFE_INTEGER }).dueAtMs).toBe(8_640_000_000_000_000);
    expect(store({ expiresIn: 1e300 }).expiresAtMs).toBe(8_640_000_000_000_000);
    const deduplicationKey = { key: 'one', window: 1e300 };
    expect(store({ deduplicationKey }).deduplication?.untilMs).toBe(8_640_000_000_000_000);
    expect(
      store({ deduplicationKey: { key: 'k', window: '1s', onConflict: 'reject' } }).deduplication,
    ).toEqual({
      key: 'k',
      untilMs: now + 1_000,
      onConflict: 'reject',
    });
  });

  it.each([
    ['retryIf', { retryIf: () => true }],
    ['a backoff of their own', { backoff: { delayMs: () => 1 } }],
    ['a backoff with random numbers of their own', { backoff: exponential({ initial: 1, random: () => 0 }) }],
  ])('is refused when enqueue() was given %s, which is a function', (_, retry) => {
    expect(() => setup().store({ retry })).toThrow(
      expect.objectContaining({ code: 'NOT_SUPPORTED', feature: 'retryFunctions' }) as never,
    );
  });

  it('may have functions in its definition, which are in the code that runs it', () => {
    const { comeBack } = setup({
      retry: { maxAttempts: 3, retryIf: () => false, backoff: { delayMs: () => 7 } },
    });
    const { retry } = comeBack({ retry: { maxAttempts: 5 } });
    expect([retry.maxAttempts, retry.retryIf?.(undefined, 1), retry.backoff.delayMs(1)]).toEqual([
      5,
      false,
      7,
    ]);
  });

  it('is refused with metadata that JSON cannot carry', () => {
    expect(() => setup().store({ metadata: { at: 1n } })).toThrow(
      expect.objectContaining({
        code: 'INVALID_PAYLOAD',
        issues: [{ path: 'metadata.at', message: expect.any(String) as string }],
      }) as never,
    );
  });
});
