import { describeValue, type Duration } from 'nestjs-nightshift/channels';
import { OptionsReader } from '../options-reader.js';
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
   * How many tasks may wait. Running ones come on top. 0: a task is accepted only when a worker is free to take it.
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
  /** After this long a task's signal is aborted and the task is dead. A task's own `timeout` wins. By default never. */
  timeout?: Duration | undefined;
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
   * After this long the task's signal is aborted and the task is dead. Counted from when it begins to run.
   * @default the queue's `timeout`; `'infinite'` overrules it
   */
  timeout?: Duration | 'infinite' | undefined;
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
  readonly onDropped: ((task: TaskHandle) => void) | undefined;
}

export interface ResolvedEnqueueOptions {
  readonly name: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal | undefined;
}

export const queueDefaults: ResolvedQueueOptions = Object.freeze({
  name: 'default',
  capacity: 100,
  fullMode: 'wait',
  concurrency: 1,
  timeoutMs: undefined,
  onDropped: undefined,
});

export const enqueueDefaults: ResolvedEnqueueOptions = Object.freeze({
  name: undefined,
  timeoutMs: undefined,
  metadata: Object.freeze({}),
  signal: undefined,
});

export const queueKeys = [
  'name',
  'capacity',
  'fullMode',
  'concurrency',
  'timeout',
  'onDropped',
] as const satisfies readonly (keyof TaskQueueOptions)[];

const enqueueKeys = [
  'name',
  'timeout',
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

/** @throws InvalidOptionsError listing everything that is wrong */
export function resolveEnqueueOptions(options: EnqueueOptions | undefined): ResolvedEnqueueOptions {
  if (options === undefined) return enqueueDefaults;
  const check = new OptionsReader('enqueue', options, enqueueKeys);
  const metadata = check.value('metadata', enqueueDefaults.metadata, 'an object', (value) =>
    describeValue(value).startsWith('an object'),
  );
  const resolved: ResolvedEnqueueOptions = {
    name: check.has('name') ? check.name('name', '') : enqueueDefaults.name,
    timeoutMs: check.timeoutMs('timeout', enqueueDefaults.timeoutMs, 1),
    metadata: metadata === enqueueDefaults.metadata ? metadata : Object.freeze({ ...metadata }),
    signal: check.value(
      'signal',
      enqueueDefaults.signal,
      'an AbortSignal',
      (value) => value instanceof AbortSignal,
    ),
  };
  check.finish();
  return resolved;
}
