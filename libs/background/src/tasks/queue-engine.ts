import type { TaskLabel } from '../events/events.js';
import type { TaskCounts, TaskDetails, TaskFilter, TaskPage, TaskQuery } from './task-record.js';
import type { DequeuedTask, TaskHandle, TaskWork } from './task.js';
import type { ResolvedEnqueueOptions } from './enqueue.options.js';

/** What a typed task is, beside the work that runs it here: all that a store has to keep of it. */
export interface TypedTask {
  /** The name of its definition. */
  readonly definition: string;
  /** The payload as JSON; `undefined` when there is none. */
  readonly payload: string | undefined;
  /** What the definition says for all its tasks: a store need not keep it, for the code that runs the task has it. */
  readonly defaults: ResolvedEnqueueOptions;
}

/** One task to be accepted. */
export interface EnqueueRequest {
  /** Runs it in this process. */
  readonly work: TaskWork;
  readonly options: ResolvedEnqueueOptions;
  /** `undefined` for a closure. */
  readonly typed?: TypedTask | undefined;
}

/** What an engine may be unable to do. Each is refused with `NotSupportedError`, never ignored. */
export type EngineFeature =
  /** Work that is a closure. */
  | 'closures'
  /** An answer at once, without a promise. */
  | 'tryEnqueue'
  /** To join a transaction of the caller's. */
  | 'transaction'
  /** To drop tasks when the queue is full. */
  | 'dropping'
  /** To bound how many tasks wait. */
  | 'capacity'
  | 'priority'
  | 'expiresIn'
  | 'deduplicationKey'
  | 'concurrencyKey'
  | 'rateLimit'
  | 'progress'
  | 'search'
  | 'dequeue'
  /** Functions and objects of the user's own in `enqueue(..., { retry })`. */
  | 'retryFunctions';

/** What an engine keeps, and what it cannot do. */
export interface EngineCapabilities {
  /** Whether accepted tasks survive the process. */
  readonly durable: boolean;
  /** The reason for each thing that it cannot do. */
  readonly lacks: Readonly<Partial<Record<EngineFeature, string>>>;
}

/** What a queue holds when it is closed. */
export interface LeftWork {
  /** Never begun, and lost with the process. */
  readonly waiting: readonly TaskLabel[];
  /** Between two attempts, and lost with the process. */
  readonly retrying: readonly TaskLabel[];
  /** Running, and now aborted. */
  readonly aborted: readonly TaskLabel[];
}

/**
 * What is behind one queue: where its tasks are, from the moment they are accepted until they end, and what takes them out
 * to run. `MemoryEngine` keeps them in this process, `StoredEngine` in any `TaskStorage`; an engine that exists already,
 * such as BullMQ, is adapted to this contract.
 *
 * One engine serves one queue in one process, and has two masters: the `TaskQueue`, through which producers and the page
 * come at any time, also before {@link open} and after {@link closeToOutsiders}; and the worker service of the queue, which
 * opens it when the host starts and closes it when the host stops, once each.
 *
 * - **Accepting.** When `enqueue()` resolves, the task is where the engine keeps tasks: if that is durable, a crash from
 *   then on does not lose it. Options that the engine cannot honour reject with `NotSupportedError`, and nothing is
 *   accepted.
 * - **Running.** Between `open()` and `close()` the engine runs what waits: no more tasks at once than `concurrency`, the
 *   most urgent first, each attempt in a scope of its own. A task is never run by two at the same time, as far as the engine
 *   can know; and its outcome is taken from the attempt that is the current one, and from no other.
 * - **Telling.** Every change of a task that comes about in this process is an event. An engine that others share does not
 *   tell what happens in other processes; `search()` and the handles see it.
 * - **Closing.** `closeToOutsiders()` may be called long before `close()`. A durable engine goes on accepting until it is
 *   closed, since what it accepts is not lost, and begins nothing new; one in memory refuses all but running work, and goes on
 *   running. `close()` aborts what runs and says what is left; `giveUpRunning()` waits no longer for it. After that nothing of
 *   the engine is left: no timer, no listener, no waiting promise.
 * - **Failing.** What a method cannot do rejects. What fails behind nobody's call is an `engine.failed` event, and is tried
 *   again.
 */
export interface QueueEngine {
  /** That of the queue. */
  readonly name: string;
  readonly capabilities: EngineCapabilities;
  /** How many tasks may wait; `Infinity` when there is no bound. */
  readonly capacity: number;
  /** How many tasks wait, as far as this process knows. */
  readonly size: number;
  /** How many tasks run in this process. */
  readonly active: number;
  /** How many tasks are held until their time comes, as far as this process knows. */
  readonly scheduled: number;
  /** How many tasks have run to their end in this process, whatever it was. */
  readonly finished: number;
  readonly isPaused: boolean;

  enqueue(request: EnqueueRequest): Promise<TaskHandle>;
  /** Accepts the requests in order: all, or as many of the first as it can, then throwing `PartlyEnqueuedError`. */
  enqueueMany(requests: readonly EnqueueRequest[]): Promise<readonly TaskHandle[]>;
  /** @returns `undefined` when full */
  tryEnqueue(request: EnqueueRequest): TaskHandle | undefined;
  dequeue(signal: AbortSignal | undefined): Promise<DequeuedTask>;
  /** In this process at once; elsewhere when it resolves, or soon after. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  whenIdle(): Promise<void>;

  find(id: string): Promise<TaskHandle | undefined>;
  details(id: string): Promise<TaskDetails | undefined>;
  search(query: TaskQuery): Promise<TaskPage>;
  counts(): Promise<TaskCounts>;
  /** Lets tasks that ended without completing run again, with all their attempts. @returns how many */
  retry(filter: TaskFilter): Promise<number>;
  /** @returns how many there were to cancel */
  cancel(filter: TaskFilter, reason: unknown): Promise<number>;
  /** Forgets tasks that have ended. @returns how many */
  remove(filter: TaskFilter): Promise<number>;

  /** From now on tasks run. */
  open(): void;
  readonly isClosedToOutsiders: boolean;
  closeToOutsiders(): void;
  /** Whether, left alone, it will run something before a time, given as the clock's `monotonic()` will show it. */
  willRunBefore(time: number): boolean;
  /** Resolves when the answer of {@link willRunBefore} may have changed. */
  whenCalm(): Promise<void>;
  /** What runs here, by name. */
  readonly runningTasks: readonly TaskLabel[];
  /** Resolves when nothing runs here, and every outcome is where the engine keeps it. */
  whenQuiet(): Promise<void>;
  /** Takes nothing more, gives up what does not run and would be lost, and aborts what runs. Says which were which. */
  close(): LeftWork;
  /** Waits no more for what was aborted and still runs. */
  giveUpRunning(): Promise<void>;
  /** Whether {@link close} has been called. */
  readonly isOver: boolean;
}
