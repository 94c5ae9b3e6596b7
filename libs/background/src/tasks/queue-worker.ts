import type { BackgroundEvents } from '../events/background-events.js';
import type { Clock } from 'nestjs-nightshift/channels';
import { IllegalStateError } from '../errors.js';
import { endedBy } from '../hosting/deadline.js';
import type { ServiceMonitor, ServiceRunner } from '../hosting/service-runner.js';
import type { MemoryEngine } from './memory-engine.js';

export interface QueueWorkerDependencies {
  readonly clock: Clock;
  readonly events: BackgroundEvents;
}

/**
 * Runs a queue's tasks from start to stop, and drains it: what was accepted still runs until the deadline, running work
 * may add to it, and what is left then is reported by name.
 */
export class QueueWorker implements ServiceRunner {
  readonly kind = 'queue';
  private monitor: ServiceMonitor | undefined;

  /** @param runs whether tasks are run here at all, rather than by a worker of the user's own */
  constructor(
    private readonly engine: MemoryEngine,
    private readonly runs: boolean,
    private readonly dependencies: QueueWorkerDependencies,
  ) {}

  attach(monitor: ServiceMonitor): void {
    this.monitor = monitor;
  }

  start(): void {
    if (this.engine.closed)
      throw new IllegalStateError(`queue '${this.engine.name}'`, 'closed', 'Starting it again');
  }

  begin(): void {
    this.engine.open();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const { engine } = this;
    const { clock, events } = this.dependencies;
    const begunAt = clock.monotonic();
    const finishedBefore = engine.finished;
    engine.closeToOutsiders();
    events.emit('queue.draining', { queue: engine.name, waiting: engine.size, active: engine.active });
    // Nobody would take what waits in a queue that is paused or was never opened, or whose own worker has stopped.
    const drains = this.runs && engine.opened && !engine.paused;
    const idle = drains ? engine.whenIdle() : engine.whenQuiet();
    await endedBy(idle, deadline);
    const { waiting, aborted } = engine.close();
    if (aborted.length > 0) await endedBy(engine.whenQuiet(), AbortSignal.abort());
    engine.giveUpRunning();
    if (waiting.length + aborted.length > 0) {
      events.emit('queue.abandoned', { queue: engine.name, waiting, running: aborted });
      void engine.whenQuiet().then(() => this.monitor?.completed());
    } else {
      const completed = engine.finished - finishedBefore;
      events.emit('queue.drained', {
        queue: engine.name,
        completed,
        durationMs: clock.monotonic() - begunAt,
      });
    }
  }

  inFlight(): readonly string[] {
    return this.engine.runningTasks.map(({ taskId, name }) => `task ${name} (${taskId})`);
  }
}
