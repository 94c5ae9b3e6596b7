import type { TaskContext } from '../scopes/context.js';
import type { TaskOutcome } from '../scopes/task-outcome.js';

/**
 * Work as a closure. What it returns is the task's result, unless that is an outcome made by `context.retryAfter()` or
 * `context.discard()`; what it throws is its failure.
 */
export type TaskWork<R = unknown> = (context: TaskContext) => R | Promise<R>;

/** What `TaskHandle.result()` gives for work that returns `R`: an outcome is no result. */
export type TaskResult<R> = Exclude<R, TaskOutcome>;

/** Where a task is in its life. See {@link taskTransitions} for which state can follow which. */
export type TaskState =
  /** Its time has not come. */
  | 'scheduled'
  /** In line: whenever a worker is free it runs. */
  | 'waiting'
  /** Running. */
  | 'active'
  /** Failed or put off, and the time of its next attempt has not come. */
  | 'retrying'
  | 'completed'
  /** Failed for good, or ran for longer than its timeout. */
  | 'dead'
  /** Dropped by a full queue, replaced by one with its `deduplicationKey`, or given up by its own work. */
  | 'discarded'
  /** Cancelled by its handle, or given up because the application stopped. */
  | 'cancelled'
  /** It had not begun when its time was up. */
  | 'expired';

/**
 * Every legal change of state. From an end there is one way back: `retry()`, by hand. An active task waits again when its
 * process was interrupted, which happens on durable queues only.
 */
export const taskTransitions: Readonly<Record<TaskState, readonly TaskState[]>> = {
  scheduled: ['waiting', 'discarded', 'cancelled', 'expired'],
  waiting: ['active', 'discarded', 'cancelled', 'expired'],
  active: ['completed', 'dead', 'retrying', 'discarded', 'cancelled', 'waiting'],
  retrying: ['waiting', 'discarded', 'cancelled'],
  completed: [],
  dead: ['waiting'],
  discarded: ['waiting'],
  cancelled: ['waiting'],
  expired: ['waiting'],
};

/** One enqueued task, in the hands of whoever enqueued it. */
export interface TaskHandle<R = unknown> {
  readonly id: string;
  /** The name of the queue. */
  readonly queue: string;
  /** The name given at `enqueue()`, else that of the function, or `'anonymous'`. */
  readonly name: string;
  /**
   * What the work returned. Rejects with what the work threw, or with a coded error when it did not get that far:
   * `TaskTimeoutError`, `TaskCancelledError`, `TaskDroppedError`, `TaskDiscardedError`, `TaskExpiredError`,
   * `TaskAbandonedError`. Settles with the last attempt, when the task's scope has been disposed; at a cancellation, and
   * at a timeout that is final, at once. Nobody has to call it: a failure is an event either way. When the task is run once
   * more by hand, who asks from then on gets the new outcome. Of a stored task that runs in another process, the outcome is
   * read from the store: rejects with `UnknownTaskError` when it is not kept, or the task was removed.
   */
  result(): Promise<R>;
  /**
   * Gives the task up: one that does not run never will, a running one has its signal aborted.
   *
   * @param reason becomes the `cause` of the `TaskCancelledError`
   * @returns whether there was still something to cancel
   */
  cancel(reason?: unknown): Promise<boolean>;
  state(): Promise<TaskState>;
}

/** A task taken out of the queue by {@link TaskQueue.dequeue}, to be run by whoever took it. */
export interface DequeuedTask {
  readonly id: string;
  readonly queue: string;
  readonly name: string;
  readonly enqueuedAt: Date;
  /**
   * Opens the scope, runs the work and settles the task. Resolves when the scope is disposed, whatever became of the
   * work: a failure goes to the task's handle and to the events, not to the caller. A second call gives the same promise.
   * A task with attempts left goes back into the queue when this one fails, to be dequeued again when its time has come.
   *
   * @param options.signal cancels the task: its own signal is aborted with a `TaskCancelledError`
   */
  run(options?: { signal?: AbortSignal | undefined }): Promise<void>;
}
