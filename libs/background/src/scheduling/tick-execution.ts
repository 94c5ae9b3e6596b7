import type { Clock } from 'nestjs-nightshift/channels';
import { isCancellation, TickTimeoutError } from '../errors.js';
import type { BackgroundEvents } from '../events/background-events.js';
import type { TickOutcome } from '../events/events.js';
import { Deadline } from '../hosting/deadline.js';
import type { TickRecord } from '../hosting/service-runner.js';
import { runInsideHere } from '../scopes/background-context.js';
import type { TickContext, WorkWrapper } from '../scopes/context.js';
import type { ServiceScope, ServiceScopeFactory } from '../scopes/scope.js';
import { Tick } from './tick-context.js';

/** What one tick does. What it gives back is awaited and otherwise ignored. */
export type TickWork = (signal: AbortSignal, tick: TickContext) => unknown;

export interface TickExecutionDependencies {
  /** The name of the service. */
  readonly name: string;
  readonly work: TickWork;
  readonly clock: Clock;
  readonly events: BackgroundEvents;
  readonly scopes: ServiceScopeFactory;
  readonly wrap?: WorkWrapper | undefined;
}

/** Runs one tick to its end: context, work, outcome, disposal of the scope, events. */
export class TickExecution {
  readonly tick: Tick;
  /** Whether the work was called: not when it was told to stop before that. */
  hasBegun = false;
  private readonly limit: Deadline | undefined;

  /** @param stopSignal aborted when the service is told to stop */
  constructor(
    private readonly dependencies: TickExecutionDependencies,
    private readonly stopSignal: AbortSignal,
    private readonly timeoutMs: number | undefined,
    about: { scheduledAt: Date; count: number; missed: number },
  ) {
    const { name, clock, scopes } = dependencies;
    this.limit =
      timeoutMs === undefined
        ? undefined
        : new Deadline(clock, timeoutMs, () => this.onTimeout(), [stopSignal]);
    const signal = this.limit?.signal ?? stopSignal;
    this.tick = new Tick(
      name,
      about.scheduledAt,
      new Date(clock.now()),
      about.count,
      about.missed,
      signal,
      scopes,
    );
  }

  /**
   * Begins a moment later, in an async resource of its own, which what follows an `await` is: what the tick sets with
   * `enterWith()` does not reach what runs after it. Never rejects: a failure is an outcome.
   */
  async run(): Promise<TickRecord> {
    await undefined;
    const { tick } = this;
    const { clock, events } = this.dependencies;
    const begunAt = clock.monotonic();
    if (events.wants('tick.started')) events.emit('tick.started', this.describe());
    let outcome: TickOutcome = 'completed';
    let error: unknown;
    try {
      this.stopSignal.throwIfAborted(); // told to stop in that moment
      this.hasBegun = true;
      await runInsideHere(tick, this.execute);
      if (this.limit?.expired) throw tick.signal.reason;
    } catch (thrown) {
      outcome = this.outcomeOf(thrown);
      error = outcome === 'timedOut' ? tick.signal.reason : thrown;
    }
    this.limit?.[Symbol.dispose]();
    if (tick.openedScope !== undefined) await this.dispose(tick.openedScope);
    this.report(outcome, error, clock.monotonic() - begunAt);
    const { id, scheduledAt, startedAt } = tick;
    const record = { id, scheduledAt, startedAt, endedAt: new Date(clock.now()), outcome };
    return outcome === 'failed' || outcome === 'timedOut' ? { ...record, error } : record;
  }

  private outcomeOf(error: unknown): TickOutcome {
    if (this.limit?.expired && isCancellation(error, this.tick.signal)) return 'timedOut';
    return isCancellation(error, this.stopSignal) ? 'cancelled' : 'failed';
  }

  private readonly execute = (): unknown => {
    const { wrap, work } = this.dependencies;
    const { tick } = this;
    return wrap ? wrap(tick, async () => await work(tick.signal, tick)) : work(tick.signal, tick);
  };

  private async dispose(scope: ServiceScope): Promise<void> {
    try {
      await runInsideHere(this.tick, () => scope[Symbol.asyncDispose]()); // still the tick's own doing
    } catch (error) {
      const owner = `a tick of service '${this.dependencies.name}'`;
      this.dependencies.events.emit('scope.disposeFailed', { owner, error });
    }
  }

  private onTimeout(): TickTimeoutError {
    const { events, name } = this.dependencies;
    events.emit('tick.timedOut', { ...this.describe(), timeoutMs: this.timeoutMs! });
    return new TickTimeoutError(name, this.timeoutMs!);
  }

  private report(outcome: TickOutcome, error: unknown, durationMs: number): void {
    const { events } = this.dependencies;
    if (outcome === 'failed' || outcome === 'timedOut') {
      events.emit('tick.failed', { ...this.describe(), durationMs, error });
      return;
    }
    const type = outcome === 'completed' ? 'tick.completed' : 'tick.cancelled';
    if (events.wants(type)) events.emit(type, { ...this.describe(), durationMs });
  }

  private describe(): { service: string; tickId: string; scheduledAt: Date } {
    return { service: this.dependencies.name, tickId: this.tick.id, scheduledAt: this.tick.scheduledAt };
  }
}
