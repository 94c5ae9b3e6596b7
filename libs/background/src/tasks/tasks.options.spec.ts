import { InvalidOptionsError, toMilliseconds } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import {
  enqueueDefaults,
  queueDefaults,
  resolveEnqueueOptions,
  resolveQueueOptions,
  type EnqueueOptions,
  type TaskQueueOptions,
} from './tasks.options.js';

describe('resolveQueueOptions', () => {
  it('gives the defaults when nothing is given', () => {
    const resolved = resolveQueueOptions({}, 'queue');
    expect(resolved).toEqual(queueDefaults);
    expect(resolved).toMatchObject({ name: 'default', capacity: 100, fullMode: 'wait', concurrency: 1 });
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  it('gives milliseconds and keeps the rest when it is right', () => {
    const options: TaskQueueOptions = {
      name: 'photos',
      capacity: 0,
      fullMode: 'dropOldest',
      concurrency: 0,
      timeout: '2m',
      onDropped: console.log,
    };
    const { timeout, ...rest } = options;
    expect(resolveQueueOptions(options, 'queue')).toEqual({ ...rest, timeoutMs: toMilliseconds(timeout!) });
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
      timeoutMs: 2_000,
      metadata: {},
      signal,
    });
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
