import type { BackgroundEvents } from '../events/background-events.js';
import type { Clock } from 'nestjs-nightshift/channels';
import { IllegalStateError } from '../errors.js';
import { endedBy } from '../hosting/deadline.js';
import type { ServiceMonitor, ServiceRunner } from '../hosting/service-runner.js';
import type { TaskLabel } from '../events/events.js';
import type { MemoryEngine } from './memory-engine.js';

export interface QueueWorkerDependencies {
  readonly clock: Clock;
  readonly events: BackgroundEvents;
}

/**
 * Runs a queue's tasks from start to stop, and drains it: what was accepted still runs until the deadline, running work
 * may add to it, and what is left then is reported by name.
 *
 * When the host stops, all queues drain together, because work in one may hand over to another: each stays open to
 * running work until every one is idle.
 */
export class QueueWorker implements ServiceRunner {
  readonly kind = 'queue';
  private monitor: ServiceMonitor | undefined;
  private hostStops = false;
  private drain: { readonly begunAt: number; readonly finishedBefore: number } | undefined;

  /** @param all the workers of all queues, this one included */
  constructor(
    readonly engine: MemoryEngine,
    private readonly all: () => readonly QueueWorker[],
    private readonly dependencies: QueueWorkerDependencies,
  ) {}

  attach(monitor: ServiceMonitor): void {
    this.monitor = monitor;
  }

  start(): void {
    if (this.engine.isClosedToOutsiders)
      throw new IllegalStateError(`queue '${this.engine.name}'`, 'closed', 'Starting it again');
  }

  begin(): void {
    this.engine.open();
  }

  quiesce(of: 'host' | 'service'): void {
    this.hostStops ||= of === 'host'; // and the queue goes on: requests are still answered, and may enqueue
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const { engine } = this;
    const together = this.hostStops ? this.all() : [this];
    for (const worker of together) worker.beginDrain();
    if (engine.runsWhatWaits) await endedBy(whenAllIdle(together), deadline);
    await endedBy(engine.whenQuiet(), deadline);
    const { waiting, aborted } = engine.close();
    if (aborted.length > 0) await endedBy(engine.whenQuiet(), AbortSignal.abort());
    engine.giveUpRunning();
    this.report(waiting, aborted);
  }

  inFlight(): readonly string[] {
    const { runningTasks, size } = this.engine;
    const running = runningTasks.map(({ taskId, name }) => `task ${name} (${taskId})`);
    return size === 0 ? running : [...running, `${size} waiting`];
  }

  private beginDrain(): void {
    if (this.drain !== undefined) return;
    const { engine } = this;
    const { clock, events } = this.dependencies;
    this.drain = { begunAt: clock.monotonic(), finishedBefore: engine.finished };
    engine.closeToOutsiders();
    events.emit('queue.draining', { queue: engine.name, waiting: engine.size, active: engine.active });
  }

  private report(waiting: readonly TaskLabel[], aborted: readonly TaskLabel[]): void {
    const { engine } = this;
    const { clock, events } = this.dependencies;
    if (waiting.length + aborted.length > 0) {
      events.emit('queue.abandoned', { queue: engine.name, waiting, running: aborted });
      void engine.whenQuiet().then(() => this.monitor?.completed());
      return;
    }
    const { begunAt, finishedBefore } = this.drain!;
    const completed = engine.finished - finishedBefore;
    events.emit('queue.drained', { queue: engine.name, completed, durationMs: clock.monotonic() - begunAt });
  }
}

/** Resolves when no queue holds anything that would still be run. */
async function whenAllIdle(workers: readonly QueueWorker[]): Promise<void> {
  const busy = (): MemoryEngine[] =>
    workers.map(({ engine }) => engine).filter((engine) => engine.runsWhatWaits && !engine.isIdle);
  for (let engines = busy(); engines.length > 0; engines = busy()) {
    // Whoever pauses a queue meanwhile keeps what waits there from being run.
    await Promise.all(engines.map((engine) => Promise.race([engine.whenIdle(), engine.whenPaused()])));
  }
}
