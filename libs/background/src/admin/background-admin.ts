import type { BackgroundHost } from '../hosting/host.js';
import type { ApplicationLifetime } from '../hosting/lifetime.js';
import type { ServiceHandle } from '../hosting/service-handle.js';
import type { ServiceKind } from '../events/events.js';
import type { TickRecord } from '../hosting/service-runner.js';
import type { ServiceState } from '../hosting/service-state.js';
import type { TaskCounts, TaskDetails, TaskFilter, TaskPage, TaskQuery } from '../tasks/task-record.js';
import type { QueueRegistry } from '../tasks/queue-registry.js';
import type { TaskQueue } from '../tasks/task-queue.js';

/** One service at one moment. */
export interface ServiceSnapshot {
  readonly name: string;
  readonly kind: ServiceKind;
  readonly state: ServiceState;
  readonly restarts: number;
  readonly startedAt: Date | undefined;
  /** The message of the last error, never its stack. */
  readonly lastError: string | undefined;
  readonly schedule: string | undefined;
  /** Whether each of its occurrences runs once over all processes. */
  readonly exclusive: boolean;
  readonly lastTick: Omit<TickRecord, 'error'> | undefined;
  readonly nextTickAt: Date | undefined;
}

/** One queue at one moment. */
export interface QueueSnapshot {
  readonly name: string;
  /** Whether its tasks survive the process. */
  readonly durable: boolean;
  /** `undefined` when there is no bound. */
  readonly capacity: number | undefined;
  readonly waiting: number;
  readonly active: number;
  /** Held until their time comes: scheduled, or to be retried. */
  readonly scheduled: number;
  readonly paused: boolean;
}

/** Everything that runs, at one moment. Plain data: `JSON.stringify` gives all of it. */
export interface BackgroundSnapshot {
  readonly state: 'starting' | 'running' | 'stopping' | 'stopped';
  readonly services: readonly ServiceSnapshot[];
  readonly queues: readonly QueueSnapshot[];
}

/**
 * Looks at everything that runs, and at every task, and does what a page for it offers: for status pages, health checks and
 * tools. What it does is not asked for twice: whoever gets at it may cancel and remove.
 */
export class BackgroundAdmin {
  /** @internal */
  constructor(
    private readonly host: BackgroundHost,
    private readonly lifetime: ApplicationLifetime,
    private readonly queues: QueueRegistry,
  ) {}

  snapshot(): BackgroundSnapshot {
    return {
      state: this.state(),
      services: this.host.services.map(toServiceSnapshot),
      queues: this.queues.queues.map(toQueueSnapshot),
    };
  }

  /**
   * The queue of this name.
   *
   * @throws UnknownNameError when there is none; it names the nearest one
   */
  queue(name: string): TaskQueue {
    return this.queues.queue(name);
  }

  /**
   * How many tasks of a queue are in each state, in whatever process.
   *
   * @throws UnknownNameError, as all that follow, when there is no such queue
   */
  async counts(queue: string): Promise<TaskCounts> {
    return this.queues.engine(queue).counts();
  }

  /**
   * Finds tasks of a queue, page by page. In memory, what has ended is found as far as it is kept: see `retention`.
   *
   * @example await admin.searchTasks('mail', { states: ['dead'], error: 'timeout' })
   * @throws InvalidOptionsError
   */
  async searchTasks(queue: string, query: TaskQuery = {}): Promise<TaskPage> {
    return this.queues.engine(queue).search(query);
  }

  /** One task with its payload, result, attempts and log; `undefined` when there is none, or it is kept no longer. */
  async task(queue: string, id: string): Promise<TaskDetails | undefined> {
    return this.queues.engine(queue).details(id);
  }

  /**
   * Lets tasks run again that are dead, discarded, cancelled or expired, with all their attempts. They keep their history.
   *
   * @example await admin.retryTasks('mail', { states: ['dead'] })
   * @param filter an empty one means all of them
   * @returns how many
   * @throws InvalidOptionsError
   */
  async retryTasks(queue: string, filter: TaskFilter): Promise<number> {
    return this.queues.engine(queue).retry(filter);
  }

  /**
   * Cancels tasks that have not ended. Of those that run the signal is aborted, also in other processes, a moment later.
   *
   * @param filter an empty one means all of them
   * @param reason becomes the `cause` of the `TaskCancelledError`
   * @returns how many there were to cancel
   * @throws InvalidOptionsError
   */
  async cancelTasks(queue: string, filter: TaskFilter, reason?: unknown): Promise<number> {
    return this.queues.engine(queue).cancel(filter, reason);
  }

  /**
   * Forgets tasks that have ended.
   *
   * @param filter an empty one means all of them
   * @returns how many
   * @throws InvalidOptionsError
   */
  async removeTasks(queue: string, filter: TaskFilter): Promise<number> {
    return this.queues.engine(queue).remove(filter);
  }

  private state(): BackgroundSnapshot['state'] {
    if (this.lifetime.stopped.aborted) return 'stopped';
    if (this.lifetime.stopping.aborted) return 'stopping';
    return this.lifetime.started.aborted ? 'running' : 'starting';
  }
}

function toServiceSnapshot(service: ServiceHandle): ServiceSnapshot {
  const { name, kind, state, restarts, startedAt, lastError, schedule, exclusive, lastTick, nextTickAt } =
    service;
  const { error: _error, ...tick } = lastTick ?? { error: undefined };
  return {
    name,
    kind,
    state,
    restarts,
    startedAt,
    lastError:
      lastError === undefined
        ? undefined
        : lastError instanceof Error
          ? lastError.message
          : String(lastError),
    schedule,
    exclusive,
    lastTick: lastTick === undefined ? undefined : (tick as Omit<TickRecord, 'error'>),
    nextTickAt,
  };
}

function toQueueSnapshot(queue: TaskQueue): QueueSnapshot {
  const { name, isDurable, capacity, size, active, scheduled, isPaused } = queue;
  return {
    name,
    durable: isDurable,
    capacity: capacity === Number.POSITIVE_INFINITY ? undefined : capacity,
    waiting: size,
    active,
    scheduled,
    paused: isPaused,
  };
}
