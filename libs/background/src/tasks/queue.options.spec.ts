import { constant, InvalidOptionsError, toMilliseconds } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { OptionsReader } from '../options-reader.js';
import { retryDefaults, type RetryOptions } from './retry-policy.js';
import {
  enqueueDefaults,
  readTaskDefaults,
  resolveEnqueueOptions,
  taskDefaultsKeys,
  type EnqueueOptions,
  type TaskDefaults,
} from './enqueue.options.js';
import { queueDefaults, resolveQueueOptions, type TaskQueueOptions } from './queue.options.js';

describe('resolveQueueOptions', () => {
  it('gives the defaults when nothing is given', () => {
    const resolved = resolveQueueOptions({}, 'queue');
    expect(resolved).toEqual(queueDefaults);
    expect(resolved).toMatchObject({
      name: 'default',
      capacity: undefined,
      fullMode: 'wait',
      concurrency: 1,
    });
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  it('gives milliseconds and keeps the rest when it is right', () => {
    const options: TaskQueueOptions = {
      name: 'photos',
      capacity: 0,
      fullMode: 'dropOldest',
      concurrency: 0,
      timeout: '2m',
      retry: { maxAttempts: 3, backoff: constant('1s'), retryIf: () => true },
      onDropped: console.log,
    };
    const { timeout, ...rest } = options;
    expect(resolveQueueOptions(options, 'queue')).toEqual({
      ...queueDefaults,
      ...rest,
      timeoutMs: toMilliseconds(timeout!),
    });
  });

  it('keeps the defaults of what retry does not say', () => {
    const { retry } = resolveQueueOptions({ retry: { maxAttempts: 3 } }, 'queue');
    expect(retry).toEqual({ ...retryDefaults, maxAttempts: 3 });
    expect(Object.isFrozen(retry)).toBe(true);
  });

  it.each([
    ['maxAttempts', 0],
    ['maxAttempts', 1.5],
    ['maxAttempts', '3'],
    ['maxAttempts', Infinity],
    ['backoff', '1s'],
    ['backoff', null],
    ['retryIf', [TypeError]],
    ['attempts', 3],
  ])('refuses retry.%s when it is %j', (key, value) => {
    const retry = { [key]: value } as RetryOptions;
    expect(() => resolveQueueOptions({ retry }, 'queue')).toThrow(`queue.retry.${key}`);
    expect(() => resolveEnqueueOptions({ retry })).toThrow(`enqueue.retry.${key}`);
  });

  it.each([
    ['name', ''],
    ['capacity', -1],
    ['capacity', 1.5],
    ['fullMode', 'drop'],
    ['concurrency', '2'],
    ['timeout', 0],
    ['timeout', 'soon'],
    ['onDropped', 'log'],
    ['capcity', 5],
  ])('refuses %s when it is %j', (key, value) => {
    const resolve = () => resolveQueueOptions({ [key]: value } as TaskQueueOptions, 'registerQueue[0]');
    expect(resolve).toThrow(InvalidOptionsError);
    expect(resolve).toThrow(`registerQueue[0].${key}`);
  });

  it('names all problems at once', () => {
    const wrong = { capacity: -1, concurrency: -1, queueName: 'photos' } as TaskQueueOptions;
    expect(() => resolveQueueOptions(wrong, 'queue')).toThrow(/3 options/);
  });
});

describe('resolveEnqueueOptions', () => {
  it('gives the defaults themselves when nothing is given', () => {
    expect(resolveEnqueueOptions(undefined)).toBe(enqueueDefaults);
    expect(resolveEnqueueOptions({})).toEqual(enqueueDefaults);
  });

  it('gives milliseconds when a timeout is given', () => {
    const { signal } = new AbortController();
    expect(resolveEnqueueOptions({ timeout: '2s', signal })).toEqual({
      ...enqueueDefaults,
      timeoutMs: 2_000,
      signal,
    });
  });

  it('gives what is given, in milliseconds and copied', () => {
    const retry = { maxAttempts: 2 };
    const tags = ['nightly'];
    const given = {
      name: 'n',
      retry,
      priority: -1,
      delay: '1s',
      expiresIn: '1m',
      deduplicationKey: 'k',
      tags,
    };
    const resolved = resolveEnqueueOptions(given);
    tags.push('later');
    expect(resolved).toEqual({
      ...enqueueDefaults,
      name: 'n',
      retry,
      priority: -1,
      delayMs: 1_000,
      expiresInMs: 60_000,
      deduplication: { key: 'k', windowMs: undefined, onConflict: 'keep' },
      tags: ['nightly'],
    });
  });

  it.each([new Date('2026-01-01T00:00:00Z'), Date.UTC(2026, 0, 1)])('takes %s for runAt', (runAt) => {
    expect(resolveEnqueueOptions({ runAt })).toMatchObject({ runAtMs: Date.UTC(2026, 0, 1) });
  });

  it.each([
    ['priority', 0.5],
    ['priority', 'high'],
    ['delay', -1],
    ['delay', 'soon'],
    ['runAt', new Date(Number.NaN)],
    ['runAt', '2026-01-01'],
    ['expiresIn', 0],
    ['deduplicationKey', ''],
    ['deduplicationKey', 5],
    ['tags', 'nightly'],
    ['tags', ['nightly', '']],
    ['tags', [5]],
  ])('refuses %s when it is %j', (key, value) => {
    expect(() => resolveEnqueueOptions({ [key]: value } as EnqueueOptions)).toThrow(`enqueue.${key}`);
  });

  it.each<[string, unknown[]]>([
    ["[1] is a text of at least one character, but got ''.", ['nightly', '']],
    ['[0] is a text of at least one character, but got 5', [5]],
    ['[2] is text without NUL', ['nightly', 'weekly', 'half\ud800']],
  ])('says which of the tags is wrong, and why: %s', (why, tags) => {
    expect(() => resolveEnqueueOptions({ tags } as EnqueueOptions)).toThrow(why);
  });

  it('refuses delay and runAt together', () => {
    expect(() => resolveEnqueueOptions({ delay: '1s', runAt: 0 })).toThrow(/enqueue\.runAt .*`delay`/);
  });

  it('lets what is given win over the defaults of a kind of task, field by field', () => {
    const check = new OptionsReader<TaskDefaults>(
      'defaults',
      { timeout: '5s', priority: 3, retry: { maxAttempts: 3, backoff: constant(1) } },
      taskDefaultsKeys,
    );
    const defaults = readTaskDefaults(check);
    expect(resolveEnqueueOptions(undefined, defaults)).toBe(defaults);
    const resolved = resolveEnqueueOptions({ priority: 1, retry: { maxAttempts: 5 } }, defaults);
    expect(resolved).toMatchObject({ timeoutMs: 5_000, priority: 1, retry: { maxAttempts: 5 } });
    expect(resolved.retry!.backoff!.delayMs(1)).toBe(1);
  });

  it.each([null, 5, 'x', []])('refuses %j in place of an object', (options) => {
    expect(() => resolveEnqueueOptions(options as never)).toThrow(InvalidOptionsError);
  });

  it.each([null, 'x', 5, [], () => {}])('refuses the metadata %j', (metadata) => {
    expect(() => resolveEnqueueOptions({ metadata } as unknown as EnqueueOptions)).toThrow(
      /enqueue\.metadata/,
    );
  });
});
