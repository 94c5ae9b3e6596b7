// Long because it is the whole contract of a driver, in prose.
import type { ResolvedTaskFilter, ResolvedTaskQuery } from './task-query.js';
import type { AttemptRecord, ErrorRecord, TaskCounts, TaskDetails, TaskRecord } from './task-record.js';
import type { TaskState } from './task.js';
import type { FullMode } from './queue.options.js';

/** A task as a store is given it. Instants are milliseconds since the Unix epoch. Plain data, as all that goes in and out. */
export interface NewTask {
  readonly queue: string;
  readonly name: string;
  readonly definition: string;
  /** JSON */
  readonly payload: string | undefined;
  readonly priority: number;
  readonly enqueuedAtMs: number;
  /** When it is scheduled; `undefined` when it is to run at once. */
  readonly dueAtMs: number | undefined;
  readonly expiresAtMs: number | undefined;
  readonly deduplication: Deduplication | undefined;
  readonly concurrencyKey: string | undefined;
  /** How many tasks of {@link concurrencyKey} may run at once. */
  readonly concurrencyLimit: number;
  /** What else the engine wants back with it: JSON, of no concern to the store. */
  readonly options: string | undefined;
  readonly tags: readonly string[];
  /** JSON */
  readonly metadata: string | undefined;
  readonly maxAttempts: number;
}

export interface Deduplication {
  readonly key: string;
  /** Until when the key is taken, even if the task has ended before. */
  readonly untilMs: number | undefined;
  readonly onConflict: 'keep' | 'replace' | 'reject';
}

/** How a store bounds one queue. */
export interface QueueBound {
  /** `undefined` when there is no bound. */
  readonly capacity: number | undefined;
  readonly fullMode: FullMode;
}

/** A task that had to go for another one. */
export interface DroppedTask {
  readonly id: string;
  readonly name: string;
}

export type InsertOutcome =
  | {
      readonly kind: 'added';
      readonly id: string;
      readonly dropped: readonly DroppedTask[];
      readonly replaced: DroppedTask | undefined;
    }
  /** There is one with its key: nothing was added. */
  | { readonly kind: 'duplicate'; readonly id: string; readonly name: string }
  /** In the mode `'wait'`: nothing was added. */
  | { readonly kind: 'full' }
  /** In the mode `'dropWrite'`: it was added as one that has ended. */
  | { readonly kind: 'dropped'; readonly id: string };

/** Who runs tasks: one engine in one process. */
export type WorkerId = number;

export interface ClaimRequest {
  readonly queue: string;
  readonly worker: WorkerId;
  /** How many at the most: asked when the claim is made, and not when it is asked for. */
  readonly places: () => number;
  /** The definitions that this process has handlers for. */
  readonly definitions: readonly string[];
  readonly nowMs: number;
  readonly rateLimit: { readonly max: number; readonly perMs: number } | undefined;
}

/** A task in the hands of a worker. */
export interface ClaimedTask extends Omit<
  NewTask,
  'queue' | 'deduplication' | 'concurrencyLimit' | 'dueAtMs'
> {
  readonly id: string;
  /** Goes up with every claim of the task: what is said of it under an older one is not heard. */
  readonly claim: number;
  /** Which attempt this is. */
  readonly attempt: number;
  /** Until when its `deduplicationKey` is taken, even if it ends before. */
  readonly keyUntilMs: number | undefined;
}

export interface ClaimResult {
  readonly tasks: readonly ClaimedTask[];
  /** Those that were found to have expired. */
  readonly expired: readonly (DroppedTask & { readonly expiresInMs: number })[];
  /** Those that were found to have no handler here, by definition. */
  readonly parked: Readonly<Record<string, number>>;
  /** When to ask again even if nothing changes: something falls due or expires, or the rate allows more. */
  readonly nextAtMs: number | undefined;
  /** How many tasks wait, and how many are scheduled or retrying, as far as that is known without counting. */
  readonly mayHaveMore: boolean;
}

/** What became of an attempt. */
export interface Settlement {
  readonly queue: string;
  readonly id: string;
  readonly claim: number;
  readonly atMs: number;
  /** `'waiting'`: it is given back as if it had not been claimed, for an interruption is no attempt. */
  readonly state: Extract<
    TaskState,
    'completed' | 'dead' | 'retrying' | 'discarded' | 'cancelled' | 'waiting'
  >;
  /** When `state` is `'retrying'`. */
  readonly dueAtMs?: number | undefined;
  /** JSON, when `state` is `'completed'`. */
  readonly result?: string | undefined;
  /** Of a completed task: why its result is not kept. */
  readonly error?: ErrorRecord | undefined;
  /** Whether the attempt is to be kept: one that failed or was interrupted. */
  readonly attempt?: StoredAttempt | undefined;
  /** The number of the next attempt, when `state` is `'retrying'`. */
  readonly nextAttempt?: number | undefined;
  /** That of the task. */
  readonly concurrencyKey?: string | undefined;
  /** `false`: it has ended, and is not to be kept at all. */
  readonly isKept: boolean;
}

export type StoredAttempt = Pick<AttemptRecord, 'attempt' | 'outcome' | 'error'> & {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
};

/** What a running task has said of itself since the last time. */
export interface TaskNotes {
  readonly queue: string;
  readonly id: string;
  readonly claim: number;
  readonly progress?:
    { readonly value: number; readonly message?: string | undefined; readonly atMs: number } | undefined;
  readonly lines: readonly { readonly atMs: number; readonly message: string }[];
}

/** How long, and how many, tasks that have ended are kept. */
export interface RetentionRule {
  readonly queue: string;
  readonly state: TaskState;
  readonly endedBeforeMs: number | undefined;
  readonly count: number | undefined;
}

/** The sign of life of a worker. */
export interface WorkerSign {
  readonly worker: WorkerId;
  /** Goes up with each of its heartbeats. */
  readonly beat: number;
  /** What {@link TaskStorage.register} was given. */
  readonly process: string;
}

/** What a worker hears when it says that it is alive. */
export interface Heartbeat {
  /** Whether it was known. If not, others took it for dead, and have its tasks. */
  readonly isKnown: boolean;
  /** Of all workers, itself included. */
  readonly workers: readonly WorkerSign[];
  readonly pausedQueues: readonly string[];
  /** Tasks of this worker that somebody wants cancelled. */
  readonly cancellations: readonly {
    readonly queue: string;
    readonly id: string;
    readonly error: ErrorRecord;
  }[];
}

/** What is known of the end of a task. */
export interface TaskEnd {
  readonly id: string;
  readonly state: TaskState;
  /** JSON */
  readonly result: string | undefined;
  readonly error: ErrorRecord | undefined;
  /** How long it had to begin, when it has expired. */
  readonly expiresInMs: number | undefined;
}

/** How things stand with some tasks. Which are in neither list, the store does not know, or knows no longer. */
export interface TaskEnds {
  readonly ended: readonly TaskEnd[];
  /** The ids of those that have not ended. */
  readonly open: readonly string[];
}

/**
 * Tells that something has failed which a driver does by itself, and tries again: an `engine.failed` event. One and the same
 * error is told once, however often it is given here. Calling it does not throw.
 *
 * @param during what it did, for a log line: `'take over jobs'`
 */
export type TellFailure = (during: string, error: unknown) => void;

/**
 * Where a durable engine of ours keeps its tasks: the driver's contract. `StoredEngine` does the rest, so a driver is about
 * data and transactions and knows nothing of handlers, scopes, timers or events.
 *
 * - **Durable.** A promise resolves when what it stands for would survive a crash of the process, and of the machine if the
 *   driver says so. It rejects when nothing of it has happened, with an error that says what to do; the engine may then ask
 *   again.
 * - **Atomic.** Each call is one step that others see whole or not at all. A driver may put several calls into one
 *   transaction, and is expected to: calls made in one turn of the event loop wait for one commit together.
 * - **Fenced.** {@link settle} and {@link note} take effect only under the claim that is the task's current one, and
 *   {@link claim} gives nothing to a worker that is not registered, or is no more.
 * - **Failing.** A call that fails rejects. Calls that fail because of one and the same outage may all reject with one and the
 *   same error, which is told once and not once for each call. What a driver does beside what it was called for fails no
 *   call: it is told by what {@link open} is given. What {@link settle} refuses because of what is in it, and would refuse
 *   again, it refuses with an `UnstorableOutcomeError`, and is asked again without it.
 * - **Ordered.** {@link claim} gives the waiting tasks with the smallest `priority` first; among those, such as have fallen
 *   due, by when they did; then the others, in the order in which they were inserted. It passes over those without a handler
 *   and those whose `concurrencyKey` has no room, without them slowing down the claims of others. What it has passed over
 *   for want of a handler is parked, for all to see; whoever has a handler for it is given it in its turn.
 * - **Shared.** Several processes may use one store at once. A worker that dies is noticed by the others, who call
 *   {@link recover}. Time is the caller's: the store has no clock.
 *
 * Changes that others make are noticed by {@link look}.
 */
export interface TaskStorage {
  /** What to call it in messages: `'sqlite'`. */
  readonly name: string;
  /** Whether a call of {@link insertWithin} that fails takes the whole transaction along. By default it goes on. */
  readonly losesTransactions?: boolean;
  /** @param tellFailure for what nobody has asked for, and so nobody hears of, when it fails */
  open(tellFailure: TellFailure): Promise<void>;
  /** Whatever has been called before is done first. */
  close(): Promise<void>;

  insert(task: NewTask, bound: QueueBound): Promise<InsertOutcome>;
  /** Inside a transaction of the caller's, which is of a kind that the driver knows: one call at a time in each. */
  insertWithin(transaction: unknown, task: NewTask, bound: QueueBound): Promise<InsertOutcome>;
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /** @returns whether it took effect: `false` when the task is no longer under this claim */
  settle(settlement: Settlement): Promise<boolean>;
  note(notes: TaskNotes): Promise<void>;

  /** @param process what the worker says of its process, for others to read */
  register(process: string, nowMs: number): Promise<WorkerId>;
  /** `worker` is alive. */
  beat(worker: WorkerId): Promise<Heartbeat>;
  /**
   * Gives back the tasks and the occurrences of workers that are dead, and forgets the workers. A task that has been given
   * back more than `maxInterruptions` times is dead.
   */
  recover(workers: readonly WorkerId[], nowMs: number, maxInterruptions: number): Promise<RecoveryResult>;
  /** The worker ends in good order. What it still has is given back. */
  unregister(worker: WorkerId, nowMs: number): Promise<void>;
  /**
   * What others have changed since the last look, if anything: cheap, for it is asked several times a second.
   *
   * @param version that of the last look; `undefined` the first time
   */
  look(worker: WorkerId | undefined, version: number | undefined): Promise<Look | TasksLook | undefined>;

  setPaused(queue: string, isPaused: boolean): Promise<void>;
  /**
   * Waiting tasks of these definitions, parked for want of a handler, are parked no more: a process that has one begins.
   *
   * @returns the definitions of those that stay parked
   */
  unpark(queue: string, definitions: readonly string[]): Promise<readonly string[]>;

  /** Which of the tasks have ended, and how: cheap, for it is asked of all that somebody waits for at every change. */
  ends(queue: string, ids: readonly string[]): Promise<TaskEnds>;
  state(queue: string, id: string): Promise<TaskState | undefined>;
  details(queue: string, id: string): Promise<TaskDetails | undefined>;
  search(queue: string, query: ResolvedTaskQuery): Promise<StoredPage>;
  counts(queue: string): Promise<TaskCounts>;
  retry(queue: string, filter: ResolvedTaskFilter, nowMs: number): Promise<readonly DroppedTask[]>;
  /** Cancels what does not run, and marks what runs for its worker. */
  cancel(queue: string, filter: ResolvedTaskFilter, error: ErrorRecord, nowMs: number): Promise<CancelResult>;
  remove(queue: string, filter: ResolvedTaskFilter): Promise<number>;
  /** Removes what is beyond the rule, not too many at once. @returns whether there may be more */
  prune(rule: RetentionRule, nowMs: number): Promise<boolean>;

  /** See `OccurrenceStorage`. */
  latestOccurrence(service: string): Promise<number | undefined>;
  claimOccurrence(service: string, dueAtMs: number, worker: WorkerId): Promise<boolean>;
  completeOccurrence(service: string, dueAtMs: number, worker: WorkerId): Promise<void>;
  /** It is nobody's again. */
  releaseOccurrence(service: string, dueAtMs: number, worker: WorkerId): Promise<void>;
}

/**
 * All that has come from other processes is tasks: there may be more to claim, or tasks have ended and there is no more to claim
 * than before. For stores that know so much without being asked.
 */
export interface TasksLook {
  readonly version: number;
  readonly only: 'tasks' | 'ends';
}

/** What has come from other processes. */
export interface Look {
  readonly version: number;
  /** How many times occurrences of services have been given back, ever. */
  readonly releases: number;
  readonly pausedQueues: readonly string[];
  readonly cancellations: Heartbeat['cancellations'];
}

/** A part of what was found. */
export interface StoredPage {
  readonly tasks: readonly TaskRecord[];
  /** The place of the last one, when there are more: the next page begins after it. */
  readonly next: number | undefined;
}

export interface RecoveryResult {
  readonly tasks: readonly (DroppedTask & { readonly queue: string; readonly isDead: boolean })[];
  readonly occurrences: number;
}

export interface CancelResult {
  readonly cancelled: readonly DroppedTask[];
  /** Those that run, wherever: their workers are told. */
  readonly requested: readonly DroppedTask[];
}
