import type { AsyncResource } from 'node:async_hooks';
import type { TickRecord } from '../hosting/service-runner.js';
import type { Occurrence } from './occurrence.js';
import { TickExecution, type TickExecutionDependencies } from './tick-execution.js';

/** A tick that has ended. */
export interface EndedTick {
  readonly occurrence: Occurrence;
  readonly record: TickRecord;
  /** `false` when it was told to stop before its work was called. */
  readonly hasBegun: boolean;
}

interface Run {
  readonly ended: Promise<void>;
  readonly occurrence: Occurrence;
}

/** The ticks of a service that run at the moment. */
export class RunningTicks {
  private readonly runs = new Map<TickExecution, Run>();

  /**
   * @param home the async context in which they run
   * @param onEnd called when one has ended, and is no longer among them
   */
  constructor(
    private readonly dependencies: TickExecutionDependencies,
    private readonly timeoutMs: number | undefined,
    private readonly home: AsyncResource,
    private readonly onEnd: (tick: EndedTick) => void,
  ) {}

  get size(): number {
    return this.runs.size;
  }

  get inFlight(): readonly string[] {
    return [...this.runs.keys()].map(({ tick }) => `tick ${tick.count} (${tick.id})`);
  }

  run(occurrence: Occurrence, about: { count: number; missed: number }, stopSignal: AbortSignal): void {
    const { scheduledAt } = occurrence;
    const execution = new TickExecution(this.dependencies, stopSignal, this.timeoutMs, {
      scheduledAt,
      ...about,
    });
    // In progress before any code of the user's runs: that may ask for another tick, or for the stop.
    const ended = this.home.runInAsyncScope(() => this.runToEnd(execution, occurrence));
    this.runs.set(execution, { occurrence, ended });
  }

  async allEnded(): Promise<void> {
    await Promise.all([...this.runs.values()].map(({ ended }) => ended));
  }

  /** Whoever asked for a tick that is left behind does not wait for it either. */
  giveUp(endedAt: Date): void {
    for (const [{ tick }, { occurrence }] of this.runs) {
      const { id, scheduledAt, startedAt } = tick;
      occurrence.done?.({ id, scheduledAt, startedAt, endedAt, outcome: 'cancelled' });
    }
  }

  private async runToEnd(execution: TickExecution, occurrence: Occurrence): Promise<void> {
    const record = await execution.run();
    this.runs.delete(execution);
    this.onEnd({ occurrence, record, hasBegun: execution.hasBegun });
  }
}
