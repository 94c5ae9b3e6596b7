import { backoffOf, type BackoffPlan } from 'nestjs-nightshift/channels';
import { ClosureNotDurableError, InvalidPayloadError, NotSupportedError } from '../errors.js';
import type { TaskContext } from '../scopes/context.js';
import { enqueueDefaults, type ResolvedEnqueueOptions } from './enqueue.options.js';
import { LocalTask, type TaskOwner } from './local-task.js';
import { packPayload } from './payload.js';
import type { EnqueueRequest } from './queue-engine.js';
import type { ResolvedRetryOptions } from './retry-policy.js';
import type { TaskHandlers } from './task-handlers.js';
import type { ClaimedTask, NewTask } from './task-storage.js';

/** What was said at `enqueue()` beside what the definition says: kept with the task as JSON. */
interface KeptOptions {
  /** `null` is no timeout. */
  readonly timeoutMs?: number | null;
  readonly maxAttempts?: number;
  readonly backoff?: BackoffPlan;
}

/** Where a task is going to be stored. */
export interface StoredTarget {
  readonly queue: string;
  readonly engine: string;
  /** For tasks that say nothing of their own. */
  readonly retry: ResolvedRetryOptions;
}

/**
 * A task as a store is given it.
 *
 * @throws ClosureNotDurableError, NotSupportedError, InvalidPayloadError (of the metadata)
 */
export function toNewTask(
  { queue, engine, retry }: StoredTarget,
  { options, typed }: EnqueueRequest,
  nowMs: number,
): NewTask {
  if (typed === undefined) throw new ClosureNotDurableError(queue, engine);
  const { deduplication, concurrency, expiresInMs, metadata } = options;
  return {
    queue,
    name: options.name ?? typed.definition,
    definition: typed.definition,
    payload: typed.payload,
    priority: options.priority,
    enqueuedAtMs: nowMs,
    dueAtMs: dueAt(options, nowMs),
    expiresAtMs: expiresInMs === undefined ? undefined : toDate(nowMs + expiresInMs),
    deduplication: deduplication && {
      key: deduplication.key,
      untilMs: deduplication.windowMs === undefined ? undefined : toDate(nowMs + deduplication.windowMs),
      onConflict: deduplication.onConflict,
    },
    concurrencyKey: concurrency?.key,
    concurrencyLimit: concurrency?.limit ?? 1,
    options: keptOptions(engine, options, typed.defaults),
    tags: options.tags,
    metadata: metadata === enqueueDefaults.metadata ? undefined : packMetadata(typed.definition, metadata),
    maxAttempts: options.retry?.maxAttempts ?? retry.maxAttempts,
  };
}

const noneKept: KeptOptions = Object.freeze({});

/** A claimed task, ready to run here. What its definition says is taken from the handler's, which may be newer. */
export function toLocalTask(owner: TaskOwner, claimed: ClaimedTask, handlers: TaskHandlers): LocalTask {
  const { definition, payload, name, priority, tags, concurrencyKey } = claimed;
  const defaults = handlers.definition(definition)?.defaults ?? enqueueDefaults;
  const kept = claimed.options === undefined ? noneKept : (JSON.parse(claimed.options) as KeptOptions);
  const options: ResolvedEnqueueOptions = {
    ...enqueueDefaults,
    name,
    priority,
    timeoutMs:
      kept.timeoutMs === undefined ? defaults.timeoutMs : (kept.timeoutMs ?? Number.POSITIVE_INFINITY),
    retry: retryOf(defaults.retry, kept),
    concurrency: concurrencyKey === undefined ? undefined : { key: concurrencyKey, limit: 1 },
    tags,
    metadata:
      claimed.metadata === undefined
        ? enqueueDefaults.metadata
        : Object.freeze(JSON.parse(claimed.metadata) as Record<string, unknown>),
  };
  const work = (context: TaskContext): Promise<unknown> => handlers.run(definition, payload, context);
  const typed = { definition, payload, defaults };
  const afterMs = claimed.enqueuedAtMs - owner.madeAtMs;
  return new LocalTask(owner, work, options, afterMs, typed, claimed);
}

function retryOf(
  defaults: ResolvedEnqueueOptions['retry'],
  { maxAttempts, backoff }: KeptOptions,
): ResolvedEnqueueOptions['retry'] {
  if (maxAttempts === undefined && backoff === undefined) return defaults;
  return {
    ...defaults,
    ...(maxAttempts !== undefined && { maxAttempts }),
    ...(backoff !== undefined && { backoff: backoffOf(backoff) }),
  };
}

/** `undefined` when it is to run at once. */
function dueAt({ delayMs, runAtMs }: ResolvedEnqueueOptions, nowMs: number): number | undefined {
  const dueAtMs = delayMs === undefined ? runAtMs : nowMs + delayMs;
  return dueAtMs === undefined || dueAtMs <= nowMs ? undefined : Math.min(Math.ceil(dueAtMs), latestDateMs);
}

/** The last instant that a `Date` can tell. */
const latestDateMs = 8_640_000_000_000_000;

function toDate(ms: number): number {
  return Math.min(Math.round(ms), latestDateMs);
}

function keptOptions(
  engine: string,
  { timeoutMs, retry }: ResolvedEnqueueOptions,
  defaults: ResolvedEnqueueOptions,
): string | undefined {
  const kept: { -readonly [K in keyof KeptOptions]: KeptOptions[K] } = {};
  if (timeoutMs !== defaults.timeoutMs)
    kept.timeoutMs = timeoutMs === Number.POSITIVE_INFINITY ? null : timeoutMs!;
  if (retry !== undefined && retry !== defaults.retry) {
    if (retry.retryIf !== defaults.retry?.retryIf) throw functionsRefused(engine, 'retryIf');
    if (retry.maxAttempts !== defaults.retry?.maxAttempts) kept.maxAttempts = retry.maxAttempts!;
    if (retry.backoff !== defaults.retry?.backoff) {
      const { plan } = retry.backoff!;
      if (plan === undefined) throw functionsRefused(engine, 'backoff');
      kept.backoff = plan;
    }
  }
  return Object.keys(kept).length === 0 ? undefined : JSON.stringify(kept);
}

function functionsRefused(engine: string, option: string): NotSupportedError {
  return new NotSupportedError(
    engine,
    'retryFunctions',
    `\`retry.${option}\` of enqueue() is a function, which cannot be stored. Say it in defineTask() or for the queue, or use ` +
      'one of the backoffs of this library.',
  );
}

function packMetadata(task: string, metadata: unknown): string | undefined {
  try {
    return packPayload(task, metadata).text;
  } catch (error) {
    if (!(error instanceof InvalidPayloadError)) throw error;
    const issues = error.issues.map(({ path, message }) => ({
      path: path.replace(/^payload/, 'metadata'),
      message,
    }));
    throw new InvalidPayloadError(task, issues, undefined, { cause: error.cause });
  }
}
