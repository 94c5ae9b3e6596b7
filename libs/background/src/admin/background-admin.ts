import type { BackgroundHost } from '../hosting/host.js';
import type { ApplicationLifetime } from '../hosting/lifetime.js';
import type { ServiceHandle } from '../hosting/service-handle.js';
import type { ServiceKind } from '../events/events.js';
import type { TickRecord } from '../hosting/service-runner.js';
import type { ServiceState } from '../hosting/service-state.js';
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
  readonly lastTick: Omit<TickRecord, 'error'> | undefined;
  readonly nextTickAt: Date | undefined;
}

/** One queue at one moment. */
export interface QueueSnapshot {
  readonly name: string;
  readonly capacity: number;
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

/** Looks at everything that runs, for status pages and health checks. */
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

  private state(): BackgroundSnapshot['state'] {
    if (this.lifetime.stopped.aborted) return 'stopped';
    if (this.lifetime.stopping.aborted) return 'stopping';
    return this.lifetime.started.aborted ? 'running' : 'starting';
  }
}

function toServiceSnapshot(service: ServiceHandle): ServiceSnapshot {
  const { name, kind, state, restarts, startedAt, lastError, schedule, lastTick, nextTickAt } = service;
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
    lastTick: lastTick === undefined ? undefined : (tick as Omit<TickRecord, 'error'>),
    nextTickAt,
  };
}

function toQueueSnapshot(queue: TaskQueue): QueueSnapshot {
  const { name, capacity, size, active, scheduled, isPaused } = queue;
  return { name, capacity, waiting: size, active, scheduled, paused: isPaused };
}
