import { describeValue, type Duration } from 'nestjs-nightshift/channels';
import { OptionsReader } from '../options-reader.js';
import { isStorable, storableText } from '../storable-text.js';
import { readRetryOptions, retryKeys, type ResolvedRetryOptions, type RetryOptions } from './retry-policy.js';

/** How tasks that are the same are told, and what is done with the second. */
export interface DeduplicationOptions {
  key: string;
  /**
   * For how long after a task was enqueued another with its key is the same, even when the first is done. By default only
   * until it is done.
   */
  window?: Duration | undefined;
  /**
   * What becomes of the second: `'keep'` adds nothing and gives the handle of the first; `'replace'` discards the first
   * unless it runs, or has ended, and takes its key over, so that the last one counts; `'reject'` throws
   * `DuplicateTaskError`.
   * @default 'keep'
   */
  onConflict?: 'keep' | 'replace' | 'reject' | undefined;
}

/** Tasks that must not all run at once. */
export interface ConcurrencyOptions {
  key: string;
  /**
   * How many of the key may run at once. Each task goes by its own number.
   * @default 1
   */
  limit?: number | undefined;
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
   * there yet: then `enqueue()` waits along, and `tryEnqueue()` gives `undefined`. An object says more: for how long, and
   * what else to do with the second.
   */
  deduplicationKey?: string | DeduplicationOptions | undefined;
  /**
   * Of the tasks of this queue with this key, one runs at a time, or as many as the object's `limit` says. The others wait,
   * and hold up nobody else.
   * @example concurrencyKey: `customer-${id}`
   */
  concurrencyKey?: string | ConcurrencyOptions | undefined;
  /** Words to tell tasks apart by, each of at least one character, found as `context.tags`. */
  tags?: readonly string[] | undefined;
  /** What the work finds as `context.metadata`. Copied shallowly. */
  metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Gives up waiting for space in a full queue: `enqueue()` then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * Enqueues inside a transaction of yours, with the engines that can: if that is rolled back, there is no task. What to
   * give depends on the engine.
   */
  transaction?: unknown;
}

export interface ResolvedDeduplication {
  readonly key: string;
  readonly windowMs: number | undefined;
  readonly onConflict: 'keep' | 'replace' | 'reject';
}

export interface ResolvedConcurrency {
  readonly key: string;
  readonly limit: number;
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
  readonly deduplication: ResolvedDeduplication | undefined;
  readonly concurrency: ResolvedConcurrency | undefined;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal | undefined;
  readonly transaction: unknown;
}

/** What can be said in advance for all tasks of one kind. */
export type TaskDefaults = Pick<EnqueueOptions, 'name' | 'timeout' | 'retry' | 'priority'>;

export const enqueueDefaults: ResolvedEnqueueOptions = Object.freeze({
  name: undefined,
  timeoutMs: undefined,
  retry: undefined,
  priority: 0,
  delayMs: undefined,
  runAtMs: undefined,
  expiresInMs: undefined,
  deduplication: undefined,
  concurrency: undefined,
  tags: Object.freeze([]),
  metadata: Object.freeze({}),
  signal: undefined,
  transaction: undefined,
});

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
  'concurrencyKey',
  'tags',
  'metadata',
  'signal',
  'transaction',
] as const satisfies readonly (keyof EnqueueOptions)[];

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
  const tags = readTags(check, defaults.tags);
  const resolved: ResolvedEnqueueOptions = {
    ...readDefaults(check, defaults),
    delayMs: check.durationMs('delay', defaults.delayMs),
    runAtMs: readRunAt(check),
    expiresInMs: check.durationMs('expiresIn', defaults.expiresInMs, 1),
    deduplication: readDeduplication(check) ?? defaults.deduplication,
    concurrency: readConcurrency(check) ?? defaults.concurrency,
    tags: tags === defaults.tags ? tags : Object.freeze([...tags]),
    metadata: metadata === defaults.metadata ? metadata : Object.freeze({ ...metadata }),
    signal: check.value('signal', defaults.signal, 'an AbortSignal', (value) => value instanceof AbortSignal),
    transaction: check.value<unknown>('transaction', defaults.transaction, 'a transaction', () => true),
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

type Keyed = Pick<EnqueueOptions, 'deduplicationKey' | 'concurrencyKey'>;

/** @returns `undefined` when nothing is said */
export function readDeduplication<T extends Keyed>(
  check: OptionsReader<T>,
): ResolvedDeduplication | undefined {
  return check.textOr<DeduplicationOptions, ResolvedDeduplication>(
    'deduplicationKey',
    (key) => ({ key, windowMs: undefined, onConflict: 'keep' }),
    ['key', 'window', 'onConflict'],
    (nested) => ({
      key: nested.text('key'),
      windowMs: nested.durationMs('window', undefined, 1),
      onConflict: nested.oneOf('onConflict', 'keep', ['keep', 'replace', 'reject']),
    }),
  );
}

/** @returns `undefined` when nothing is said */
export function readConcurrency<T extends Keyed>(check: OptionsReader<T>): ResolvedConcurrency | undefined {
  return check.textOr<ConcurrencyOptions, ResolvedConcurrency>(
    'concurrencyKey',
    (key) => ({ key, limit: 1 }),
    ['key', 'limit'],
    (nested) => ({ key: nested.text('key'), limit: nested.wholeNumber('limit', 1, 1) }),
  );
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

function readTags(check: OptionsReader<EnqueueOptions>, otherwise: readonly string[]): readonly string[] {
  const tags = check.value('tags', otherwise, 'an array of text', Array.isArray);
  const index = tags.findIndex((tag) => !isText(tag) || !isStorable(tag));
  if (index === -1) return tags;
  const expected = isText(tags[index]) ? storableText : 'a text of at least one character';
  check.problem('tags', `an array of which [${index}] is ${expected}`, tags[index]);
  return otherwise;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
