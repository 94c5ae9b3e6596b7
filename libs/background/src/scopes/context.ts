import type { ServiceScope } from './scope.js';

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
  /** Aborted when the task is cancelled, its `timeout` has elapsed, or the deadline of the shutdown has passed. */
  readonly signal: AbortSignal;
  /** The task's DI scope, disposed when the work has ended. */
  readonly scope: ServiceScope;
  /** What the enqueue option `metadata` gave. */
  readonly metadata: Readonly<Record<string, unknown>>;
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
