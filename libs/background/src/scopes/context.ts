import type { Duration } from 'nestjs-nightshift/channels';
import type { ServiceScope } from './scope.js';
import type { Discard, RetryAfter } from './task-outcome.js';

/** What a tick is told about itself: the second argument of `execute()`, and what `REQUEST` holds in its scope. */
export interface TickContext {
  /** Unique to this tick. */
  readonly id: string;
  /** The name of the service that ticks. */
  readonly service: string;
  /** When the tick was due. */
  readonly scheduledAt: Date;
  /** When it began. */
  readonly startedAt: Date;
  /** How many ticks of the service have begun since it was started, this one included. */
  readonly count: number;
  /** How many due ticks were passed over since the last one that ran: because one was still running, or late. */
  readonly missed: number;
  /** Aborted when the service is told to stop or the tick's `timeout` has elapsed. The first argument of `execute()`. */
  readonly signal: AbortSignal;
  /** The tick's DI scope, disposed when the tick has ended. */
  readonly scope: ServiceScope;
}

/** What a task is told about itself: the argument of its work, and what `REQUEST` holds in its scope. */
export interface TaskContext {
  /** Unique to this task. */
  readonly id: string;
  /** The name given at `enqueue()`, else that of the function, or `'anonymous'`. */
  readonly name: string;
  /** The name of the queue. */
  readonly queue: string;
  /** Which attempt this is: 1 for the first. */
  readonly attempt: number;
  /** How many attempts there are at most, the first included. */
  readonly maxAttempts: number;
  readonly enqueuedAt: Date;
  /**
   * Aborted when the task is cancelled, its `timeout` has elapsed, or the deadline of the shutdown has passed. Each attempt
   * has its own.
   */
  readonly signal: AbortSignal;
  /** The DI scope of this attempt, disposed when the work has ended. */
  readonly scope: ServiceScope;
  /** What the enqueue option `metadata` gave. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** What the enqueue option `tags` gave. */
  readonly tags: readonly string[];
  /**
   * Says how far the task has come, for whoever looks at it. The last word counts; all attempts share it. It costs little,
   * so it can be called for each step of a long loop.
   *
   * @param value by custom a share, from 0 to 1
   * @throws ArgumentOutOfRangeError when `value` is not a finite number
   */
  progress(value: number, message?: string): void;
  /** Writes a line to the task's own log, for whoever looks at it. The last 100 lines, of 2,000 characters, are kept. */
  log(message: string): void;
  /**
   * An outcome to return: run the task again after `delay`. For work that finds that it cannot be done yet, which is no
   * failure: it uses up no attempt, so `attempt` stays what it is, and nothing ends it but the work itself.
   *
   * @example if (reply.status === 429) return context.retryAfter('1m');
   * @throws ArgumentOutOfRangeError when `delay` is no duration
   */
  retryAfter(delay: Duration): RetryAfter;
  /**
   * An outcome to return: the task is not worth doing any more, and not worth another attempt. `TaskHandle.result()`
   * rejects with a `TaskDiscardedError`.
   *
   * @example if (order === undefined) return context.discard('the order has been deleted');
   * @param reason becomes the `cause` of the error
   */
  discard(reason?: unknown): Discard;
}

/**
 * A host-wide wrapper around every tick, task and long-running `execute()`: for tracing, `nestjs-cls`, or any other
 * ambient context. It must call `run` once and return its promise, or one that settles the same way.
 *
 * @param context the tick's or task's context; `undefined` around a long-running `execute()`
 */
export type WorkWrapper = <R>(
  context: TickContext | TaskContext | undefined,
  run: () => Promise<R>,
) => Promise<R>;
