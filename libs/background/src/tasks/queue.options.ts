import type { Duration } from 'nestjs-nightshift/channels';
import { OptionsReader } from '../options-reader.js';
import {
  readRetryOptions,
  retryDefaults,
  retryKeys,
  type ResolvedRetryOptions,
  type RetryOptions,
} from './retry-policy.js';
import type { BackgroundEngine } from './background-engine.js';
import {
  readRetention,
  retentionDefaults,
  retentionKeys,
  type ResolvedRetention,
  type RetentionOptions,
} from './retention.js';
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
   * those that are to be retried. 0: a task is accepted only when a worker is free to take it; a durable engine takes 1 or
   * more.
   * @default 100 in memory; no bound on a durable engine, which does not fill the memory
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
  /**
   * How many attempts may begin in a stretch of time, wherever it begins. On a durable engine all processes share it. What
   * may not begin yet waits, and is no failure. A task that was taken with `dequeue()` counts from then on, and once it runs
   * from when it has begun. By default there is no limit.
   * @example rateLimit: { max: 10, per: '1s' }
   */
  rateLimit?: RateLimitOptions | undefined;
  /** How long, and how many, tasks that have ended are kept, to be looked at, and to be run again if they failed. */
  retention?: RetentionOptions | undefined;
  /**
   * Where the tasks of this queue are kept.
   * @default the `engine` of `forRoot()`, else in memory
   */
  engine?: BackgroundEngine | undefined;
}

export interface RateLimitOptions {
  /** How many: a whole number of 1 or more. */
  max: number;
  per: Duration;
}

export interface ResolvedQueueOptions {
  readonly name: string;
  /** `undefined`: as many as the engine thinks right. */
  readonly capacity: number | undefined;
  readonly fullMode: FullMode;
  readonly concurrency: number;
  readonly timeoutMs: number | undefined;
  readonly retry: ResolvedRetryOptions;
  readonly onDropped: ((task: TaskHandle) => void) | undefined;
  readonly rateLimit: ResolvedRateLimit | undefined;
  readonly retention: ResolvedRetention;
  readonly engine: BackgroundEngine | undefined;
}

export interface ResolvedRateLimit {
  readonly max: number;
  readonly perMs: number;
}

export const queueDefaults: ResolvedQueueOptions = Object.freeze({
  name: 'default',
  capacity: undefined,
  fullMode: 'wait',
  concurrency: 1,
  timeoutMs: undefined,
  retry: retryDefaults,
  onDropped: undefined,
  rateLimit: undefined,
  retention: retentionDefaults,
  engine: undefined,
});

/** How many tasks may wait in memory, where nothing else is said. */
export const memoryCapacity = 100;

export const queueKeys = [
  'name',
  'capacity',
  'fullMode',
  'concurrency',
  'timeout',
  'retry',
  'onDropped',
  'rateLimit',
  'retention',
  'engine',
] as const satisfies readonly (keyof TaskQueueOptions)[];

export function readQueueOptions(check: OptionsReader<TaskQueueOptions>): ResolvedQueueOptions {
  return Object.freeze({
    name: check.name('name', queueDefaults.name),
    capacity: check.has('capacity')
      ? check.wholeNumber('capacity', memoryCapacity, 0)
      : queueDefaults.capacity,
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
    rateLimit: check.nested<RateLimitOptions, ResolvedRateLimit>('rateLimit', ['max', 'per'], readRateLimit),
    retention:
      check.nested<RetentionOptions, ResolvedRetention>('retention', retentionKeys, readRetention) ??
      queueDefaults.retention,
    engine: readEngine(check),
  });
}

/** @throws InvalidOptionsError listing everything that is wrong */
export function resolveQueueOptions(options: TaskQueueOptions, path: string): ResolvedQueueOptions {
  const check = new OptionsReader(path, options, queueKeys);
  const resolved = readQueueOptions(check);
  check.finish();
  return resolved;
}

/** The engine that an options object names. */
export function readEngine<T extends { engine?: BackgroundEngine | undefined }>(
  check: OptionsReader<T>,
): BackgroundEngine | undefined {
  return check.value<BackgroundEngine | undefined>(
    'engine',
    undefined,
    'an engine, such as sqliteEngine({ file })',
    (value) => typeof (value as Partial<BackgroundEngine> | null)?.createQueue === 'function',
  );
}

function readRateLimit(check: OptionsReader<RateLimitOptions>): ResolvedRateLimit {
  if (!check.has('max')) check.problem('max', 'a whole number of 1 or more');
  if (!check.has('per')) check.problem('per', "a duration, such as '1s'");
  return Object.freeze({ max: check.wholeNumber('max', 1, 1), perMs: check.durationMs('per', 1, 1) });
}
