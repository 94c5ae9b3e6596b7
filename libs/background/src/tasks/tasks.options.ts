import { describeValue, type Duration } from 'nestjs-nightshift/channels';
import { OptionsReader } from '../options-reader.js';
import {
  readRetryOptions,
  retryDefaults,
  retryKeys,
  type ResolvedRetryOptions,
  type RetryOptions,
} from './retry-policy.js';
import type { TaskHandle } from './task.js';

/** What a full queue does with one task more: let the producer wait, or drop one. */
export type FullMode = 'wait' | 'dropNewest' | 'dropOldest' | 'dropWrite';

export interface TaskQueueOptions {
  /**
   * By what name it is injected, and called in logs and health.
   * @default 'default'
   */
  name?: string | undefined;
  /**
   * How many tasks may wait. Running ones come on top, and so do those whose time has not come: scheduled ones, and
   * those that are to be retried. 0: a task is accepted only when a worker is free to take it.
   * @default 100
   */
  capacity?: number | undefined;
  /**
   * What happens when {@link capacity} is reached: `'wait'` makes `enqueue()` wait, so that producers slow down to what
   * the workers manage; the others drop the newest waiting task, the oldest, or the one being enqueued.
   * @default 'wait'
   */
  fullMode?: FullMode | undefined;
  /**
   * How many tasks run at once. 0: none, for those who write their own worker with `dequeue()`.
   * @default 1
   */
  concurrency?: number | undefined;
  /**
   * After this long a task's signal is aborted, and the attempt has failed. A task's own `timeout` wins. By default never.
   */
  timeout?: Duration | undefined;
  /** Whether and when failed tasks are tried again. What a task says for itself wins, field by field. */
  retry?: RetryOptions | undefined;
  /** Called with each task that {@link fullMode} drops. */
  onDropped?: ((task: TaskHandle) => void) | undefined;
}

export interface EnqueueOptions {
  /**
   * What to call the task in logs and events.
   * @default the name of the function, or `'anonymous'`
   */
  name?: string | undefined;
  /**
   * After this long the task's signal is aborted, and the attempt has failed. Counted from when it begins to run, anew for
   * each attempt.
   * @default the queue's `timeout`; `'infinite'` overrules it
   */
  timeout?: Duration | 'infinite' | undefined;
  /**
   * Whether and when the task is tried again when it fails.
   * @default the queue's `retry`, field by field
   */
  retry?: RetryOptions | undefined;
  /**
   * Which of the waiting tasks runs next: the one with the smallest number, and among equals the one that has waited
   * longest. A whole number, negative ones included. A steady stream of urgent tasks keeps the others waiting for ever.
   * @default 0
   */
  priority?: number | undefined;
  /** Runs the task no sooner than after this long. Not together with {@link runAt}. */
  delay?: Duration | undefined;
  /**
   * Runs the task no sooner than at this time: a date, or milliseconds since the Unix epoch. One in the past means now.
   * The time from now until then is measured once, so setting the machine's clock later does not move it.
   */
  runAt?: Date | number | undefined;
  /**
   * Gives the task up if it has not begun to run after this long, counted from when it is enqueued: it never runs then,
   * and `result()` rejects with a `TaskExpiredError`. Once begun it does not expire, also not between two attempts. It
   * ends no wait for room: that is for {@link signal}.
   */
  expiresIn?: Duration | undefined;
  /**
   * As long as a task with this key is scheduled, waiting, running or to be retried in this queue, enqueueing another one
   * with the key adds nothing and gives the handle of the one that is there. Whose producer still waits for room is not
   * there yet: then `enqueue()` waits along, and `tryEnqueue()` gives `undefined`.
   */
  deduplicationKey?: string | undefined;
  /** Words to tell tasks apart by, found as `context.tags`. */
  tags?: readonly string[] | undefined;
  /** What the work finds as `context.metadata`. Copied shallowly. */
  metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Gives up waiting for space in a full queue: `enqueue()` then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface ResolvedQueueOptions {
  readonly name: string;
  readonly capacity: number;
  readonly fullMode: FullMode;
  readonly concurrency: number;
  readonly timeoutMs: number | undefined;
  readonly retry: ResolvedRetryOptions;
  readonly onDropped: ((task: TaskHandle) => void) | undefined;
}

export interface ResolvedEnqueueOptions {
  readonly name: string | undefined;
  readonly timeoutMs: number | undefined;
  /** Only what was given: the queue's holds for the rest. */
  readonly retry: Partial<ResolvedRetryOptions> | undefined;
  readonly priority: number;
  readonly delayMs: number | undefined;
  readonly runAtMs: number | undefined;
  readonly expiresInMs: number | undefined;
  readonly deduplicationKey: string | undefined;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal | undefined;
}

/** What can be said in advance for all tasks of one kind. */
export type TaskDefaults = Pick<EnqueueOptions, 'name' | 'timeout' | 'retry' | 'priority'>;

export const queueDefaults: ResolvedQueueOptions = Object.freeze({
  name: 'default',
  capacity: 100,
  fullMode: 'wait',
  concurrency: 1,
  timeoutMs: undefined,
  retry: retryDefaults,
  onDropped: undefined,
});

export const enqueueDefaults: ResolvedEnqueueOptions = Object.freeze({
  name: undefined,
  timeoutMs: undefined,
  retry: undefined,
  priority: 0,
  delayMs: undefined,
  runAtMs: undefined,
  expiresInMs: undefined,
  deduplicationKey: undefined,
  tags: Object.freeze([]),
  metadata: Object.freeze({}),
  signal: undefined,
});

export const queueKeys = [
  'name',
  'capacity',
  'fullMode',
  'concurrency',
  'timeout',
  'retry',
  'onDropped',
] as const satisfies readonly (keyof TaskQueueOptions)[];

export const taskDefaultsKeys = [
  'name',
  'timeout',
  'retry',
  'priority',
] as const satisfies readonly (keyof TaskDefaults)[];

const enqueueKeys = [
  ...taskDefaultsKeys,
  'delay',
  'runAt',
  'expiresIn',
  'deduplicationKey',
  'tags',
  'metadata',
  'signal',
] as const satisfies readonly (keyof EnqueueOptions)[];

export function readQueueOptions(check: OptionsReader<TaskQueueOptions>): ResolvedQueueOptions {
  return Object.freeze({
    name: check.name('name', queueDefaults.name),
    capacity: check.wholeNumber('capacity', queueDefaults.capacity, 0),
    fullMode: check.oneOf('fullMode', queueDefaults.fullMode, [
      'wait',
      'dropNewest',
      'dropOldest',
      'dropWrite',
    ]),
    concurrency: check.wholeNumber('concurrency', queueDefaults.concurrency, 0),
    timeoutMs: check.durationMs('timeout', queueDefaults.timeoutMs, 1),
    retry:
      check.nested<RetryOptions, ResolvedRetryOptions>('retry', retryKeys, (retry) =>
        readRetryOptions(retry, queueDefaults.retry),
      ) ?? queueDefaults.retry,
    onDropped: check.function<(task: TaskHandle) => void>('onDropped'),
  });
}

/** @throws InvalidOptionsError listing everything that is wrong */
export function resolveQueueOptions(options: TaskQueueOptions, path: string): ResolvedQueueOptions {
  const check = new OptionsReader(path, options, queueKeys);
  const resolved = readQueueOptions(check);
  check.finish();
  return resolved;
}

/**
 * What a kind of tasks says in advance, in the form that {@link resolveEnqueueOptions} takes as its defaults. The caller
 * finishes the check.
 */
export function readTaskDefaults<T extends TaskDefaults>(check: OptionsReader<T>): ResolvedEnqueueOptions {
  return Object.freeze({ ...enqueueDefaults, ...readDefaults(check, enqueueDefaults) });
}

/**
 * @param defaults what holds for whatever is not given; returned as they are when nothing is
 * @throws InvalidOptionsError listing everything that is wrong
 */
export function resolveEnqueueOptions(
  options: EnqueueOptions | undefined,
  defaults: ResolvedEnqueueOptions = enqueueDefaults,
): ResolvedEnqueueOptions {
  if (options === undefined) return defaults;
  const check = new OptionsReader('enqueue', options, enqueueKeys);
  const metadata = check.value('metadata', defaults.metadata, 'an object', (value) =>
    describeValue(value).startsWith('an object'),
  );
  const isTags = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
  const tags = check.value('tags', defaults.tags, 'an array of text', isTags);
  const resolved: ResolvedEnqueueOptions = {
    ...readDefaults(check, defaults),
    delayMs: check.durationMs('delay', defaults.delayMs),
    runAtMs: readRunAt(check),
    expiresInMs: check.durationMs('expiresIn', defaults.expiresInMs, 1),
    deduplicationKey: check.value(
      'deduplicationKey',
      defaults.deduplicationKey,
      'a text of at least one character',
      isText,
    ),
    tags: tags === defaults.tags ? tags : Object.freeze([...tags]),
    metadata: metadata === defaults.metadata ? metadata : Object.freeze({ ...metadata }),
    signal: check.value('signal', defaults.signal, 'an AbortSignal', (value) => value instanceof AbortSignal),
  };
  check.finish();
  return resolved;
}

function readDefaults<T extends TaskDefaults>(
  check: OptionsReader<T>,
  defaults: ResolvedEnqueueOptions,
): Pick<ResolvedEnqueueOptions, 'name' | 'timeoutMs' | 'retry' | 'priority'> {
  const retry = check.nested<RetryOptions, Partial<ResolvedRetryOptions>>('retry', retryKeys, (nested) =>
    readRetryOptions(nested, defaults.retry ?? {}),
  );
  return {
    name: check.has('name') ? check.name('name', '') : defaults.name,
    timeoutMs: check.timeoutMs('timeout', defaults.timeoutMs, 1),
    retry: retry ?? defaults.retry,
    priority: check.value('priority', defaults.priority, 'a whole number', Number.isSafeInteger),
  };
}

function readRunAt(check: OptionsReader<EnqueueOptions>): number | undefined {
  if (check.has('runAt') && check.has('delay'))
    check.problem('runAt', 'left out together with `delay`, which also says when');
  const expected = 'a valid Date, or milliseconds since the Unix epoch';
  const runAt = check.value<Date | number | undefined>('runAt', undefined, expected, isInstant);
  return runAt === undefined ? undefined : Number(runAt);
}

function isInstant(value: unknown): boolean {
  return Number.isFinite(value instanceof Date ? value.getTime() : value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
