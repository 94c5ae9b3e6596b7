import type { BackgroundEvents } from '../events/background-events.js';
import type { Clock } from 'nestjs-nightshift/channels';
import { IllegalStateError } from '../errors.js';
import { endedBy } from '../hosting/deadline.js';
import type { ServiceMonitor, ServiceRunner } from '../hosting/service-runner.js';
import type { LeftWork, QueueEngine } from './queue-engine.js';

export interface QueueWorkerDependencies {
  readonly clock: Clock;
  readonly events: BackgroundEvents;
  /** How long the host has to stop, at most. By default there is no limit. */
  readonly shutdownTimeoutMs?: number | undefined;
}

/**
 * Runs a queue's tasks from start to stop, and drains it: what was accepted still runs until the deadline, running work
 * may add to it, and what is left then is reported by name. Tasks whose time comes before the deadline are waited for;
 * when only later ones are left there is nothing to wait for.
 *
 * When the host stops, all queues drain together, because work in one may hand over to another: each stays open to
 * running work until every one is idle.
 */
export class QueueWorker implements ServiceRunner {
  readonly kind = 'queue';
  private monitor: ServiceMonitor | undefined;
  private hasBegun = false;
  private hostStops = false;
  private drain: { readonly begunAt: number; readonly finishedBefore: number } | undefined;

  /** @param all the workers of all queues, this one included */
  constructor(
    readonly engine: QueueEngine,
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
    this.hasBegun = true;
    this.engine.open();
  }

  quiesce(of: 'host' | 'service'): void {
    this.hostStops ||= of === 'host'; // and the queue goes on: requests are still answered, and may enqueue
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const { engine } = this;
    const together = this.hostStops ? this.all() : [this];
    for (const worker of together) worker.beginDrain();
    // No earlier than the deadline really is, which is all that counts: at that the wait ends anyway.
    const endsAt = this.drain!.begunAt + (this.dependencies.shutdownTimeoutMs ?? Infinity);
    await endedBy(whenAllDrained(together, endsAt), deadline);
    await endedBy(engine.whenQuiet(), deadline);
    const left = engine.close();
    if (left.aborted.length > 0) await endedBy(engine.whenQuiet(), AbortSignal.abort());
    await engine.giveUpRunning();
    this.report(left);
  }

  inFlight(): readonly string[] {
    const { runningTasks, size, scheduled } = this.engine;
    const lines = runningTasks.map(({ taskId, name }) => `task ${name} (${taskId})`);
    if (size > 0) lines.push(`${size} waiting`);
    if (scheduled > 0) lines.push(`${scheduled} scheduled`);
    return lines;
  }

  /** A durable queue that others run goes on, and what this process knows of it is old: there is nothing to tell. */
  private get endsHere(): boolean {
    return this.hasBegun || !this.engine.capabilities.durable;
  }

  private beginDrain(): void {
    if (this.drain !== undefined) return;
    const { engine } = this;
    const { clock, events } = this.dependencies;
    this.drain = { begunAt: clock.monotonic(), finishedBefore: engine.finished };
    engine.closeToOutsiders();
    if (!this.endsHere) return;
    const { name: queue, size: waiting, active, scheduled } = engine;
    const { durable } = engine.capabilities;
    events.emit('queue.draining', { queue, waiting, active, scheduled, durable });
  }

  private report({ waiting, retrying, aborted }: LeftWork): void {
    const { engine } = this;
    const { clock, events } = this.dependencies;
    if (waiting.length + retrying.length + aborted.length > 0) {
      events.emit('queue.abandoned', { queue: engine.name, waiting, retrying, running: aborted });
      void engine.whenQuiet().then(() => this.monitor?.completed());
      return;
    }
    if (!this.endsHere) return;
    const { begunAt, finishedBefore } = this.drain!;
    const completed = engine.finished - finishedBefore;
    events.emit('queue.drained', { queue: engine.name, completed, durationMs: clock.monotonic() - begunAt });
  }
}

/** Resolves when no queue holds anything that would still be run before a time, which `monotonic()` will show. */
async function whenAllDrained(workers: readonly QueueWorker[], endsAt: number): Promise<void> {
  const busy = (): QueueEngine[] =>
    workers.map(({ engine }) => engine).filter((engine) => engine.willRunBefore(endsAt));
  for (let engines = busy(); engines.length > 0; engines = busy()) {
    await Promise.all(engines.map((engine) => engine.whenCalm()));
  }
}
