import type { TaskState } from './task.js';

/** An error as plain data: what is left of it in a store, on a page, and in another process. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  /** Of a coded error. */
  readonly code?: string;
  readonly stack?: string;
  /** What caused it, itself with its causes; a long chain is cut. */
  readonly cause?: ErrorRecord;
  /** Of an `AggregateError`. */
  readonly errors?: readonly ErrorRecord[];
}

/** How far a task says it has come. */
export interface TaskProgress {
  /** What was given to `context.progress()`: by custom a share, from 0 to 1. */
  readonly value: number;
  readonly message: string | undefined;
  readonly at: Date;
}

/** One line that a task has written with `context.log()`. */
export interface TaskLogLine {
  readonly at: Date;
  readonly message: string;
}

/** One attempt that did not complete its task. */
export interface AttemptRecord {
  /** 1 for the first. */
  readonly attempt: number;
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** `'interrupted'`: its process crashed or stopped, which uses up no attempt; `'putOff'`: `retryAfter()`. */
  readonly outcome: 'failed' | 'timedOut' | 'putOff' | 'interrupted';
  readonly error: ErrorRecord | undefined;
}

/** Why a waiting task is passed over for now. */
export type HoldReason =
  /** No handler for it is known to the processes that run its queue: parked until there is one. */
  | 'noHandler'
  /** As many tasks of its `concurrencyKey` run as may. */
  | 'concurrencyKey';

/** What is known of one task at one moment, as plain data. */
export interface TaskRecord {
  readonly id: string;
  readonly queue: string;
  /** What logs and events call it. */
  readonly name: string;
  /** The name of its definition; `undefined` for a closure. */
  readonly definition: string | undefined;
  readonly state: TaskState;
  /** Why it is passed over, while it waits. */
  readonly heldBack: HoldReason | undefined;
  readonly priority: number;
  /** How many attempts have begun; one that a crash has interrupted does not count. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly enqueuedAt: Date;
  /** When it is to run, while it is scheduled or retrying. */
  readonly dueAt: Date | undefined;
  /** When its last attempt began. */
  readonly startedAt: Date | undefined;
  /** When it came to its end. */
  readonly endedAt: Date | undefined;
  readonly expiresAt: Date | undefined;
  readonly deduplicationKey: string | undefined;
  readonly concurrencyKey: string | undefined;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly progress: TaskProgress | undefined;
  /** The last failure, or why it was cancelled or discarded. */
  readonly error: ErrorRecord | undefined;
}

/** A task with all that it carries. */
export interface TaskDetails extends TaskRecord {
  /** As it was enqueued; `undefined` when it has none, or is a closure. */
  readonly payload: unknown;
  /** Of a completed task. */
  readonly result: unknown;
  /** Those that failed or were interrupted, oldest first. */
  readonly attempts: readonly AttemptRecord[];
  /** The last lines that it logged, oldest first. */
  readonly log: readonly TaskLogLine[];
}

/** Which tasks of a queue: those that fit all that is said. What is left out does not restrict; an empty list fits none. */
export interface TaskFilter {
  readonly ids?: readonly string[] | undefined;
  readonly states?: readonly TaskState[] | undefined;
  /** The name of the task, or of its definition. */
  readonly name?: string | undefined;
  readonly tag?: string | undefined;
  /** A part of the error's name or message, in any case. */
  readonly error?: string | undefined;
  /** At this time or later. */
  readonly enqueuedAfter?: Date | undefined;
  /** Before this time. */
  readonly enqueuedBefore?: Date | undefined;
}

export interface TaskQuery extends TaskFilter {
  /** How many at the most: 1 to 1,000. @default 50 */
  readonly limit?: number | undefined;
  /**
   * By when they were enqueued.
   * @default 'newest'
   */
  readonly order?: 'newest' | 'oldest' | undefined;
  /** The {@link TaskPage.next} of the page before. */
  readonly after?: string | undefined;
}

/** A part of what was found. */
export interface TaskPage {
  readonly tasks: readonly TaskRecord[];
  /** Where the next page begins; `undefined` when this is the last. */
  readonly next: string | undefined;
}

/** How many tasks of a queue are in each state, and how many of the waiting ones are held back. */
export type TaskCounts = Readonly<Record<TaskState, number>> & { readonly heldBack: number };
