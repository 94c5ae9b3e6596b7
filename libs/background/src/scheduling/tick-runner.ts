import { AsyncResource } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';
import { StoppingError } from '../errors.js';
import { endedBy } from '../hosting/deadline.js';
import type { HostedService } from '../hosting/hosted-service.js';
import type {
  ScheduleChange,
  ServiceMonitor,
  ServiceRunner,
  TickControl,
  TickRecord,
} from '../hosting/service-runner.js';
import { resolveSchedule, type ResolvedTickOptions } from './background-service.options.js';
import { ScheduleTimer, type DueTick } from './schedule-timer.js';
import { TickExecution, type TickExecutionDependencies } from './tick-execution.js';
import type { Trigger } from './trigger.js';

/** A tick that is later than this is a misfire. */
const latenessAllowedMs = 1_000;

export interface TickRunnerDependencies extends TickExecutionDependencies {
  readonly options: ResolvedTickOptions & { readonly trigger: Trigger };
  /** Hooks of the service's class, when it has one instance for all ticks. */
  readonly hooks?: Partial<Pick<HostedService, 'starting' | 'started' | 'stopping' | 'stopped'>> | undefined;
  /** @default Math.random */
  readonly random?: () => number;
}

/** One tick that is to run. `done` hears of it when it was asked for by hand. */
interface Occurrence {
  readonly scheduledAt: Date;
  readonly done?: (record: TickRecord) => void;
}

/** One tick that runs. */
interface Run {
  readonly ended: Promise<void>;
  readonly done: Occurrence['done'];
}

/** Runs a service's ticks: when the schedule says so, each in a scope of its own, overlapping only if told to. */
export class TickRunner implements ServiceRunner, TickControl {
  readonly kind = 'ticked';
  readonly ticks: TickControl = this;
  lastTick: TickRecord | undefined;
  lastError: unknown;

  private readonly timer: ScheduleTimer;
  /**
   * The async context that the service was made in. A timer keeps the context in which it is armed, and so does each one
   * that is armed when it fires: a request that steers the service would be seen by all ticks from then on.
   */
  private readonly home = new AsyncResource('nightshift service');
  private readonly inProgress = new Map<TickExecution, Run>();
  /** Due ticks that wait for the running one: at most one of the schedule, and any asked for by hand. */
  private queued: Occurrence[] = [];
  private monitor: ServiceMonitor | undefined;
  private stopController = new AbortController();
  /** Between `begin` and `quiesce`: new ticks may start. */
  private isOpen = false;
  private isPaused = false;
  private missed = 0;
  private count = 0;

  constructor(private readonly dependencies: TickRunnerDependencies) {
    const { options, clock, random = Math.random } = dependencies;
    this.timer = new ScheduleTimer(options.trigger, clock, options.jitterMs, random, (tick) =>
      this.onDue(tick),
    );
  }

  get schedule(): string {
    return this.timer.trigger.description;
  }

  get nextTickAt(): Date | undefined {
    return this.timer.nextAt;
  }

  get running(): number {
    return this.inProgress.size;
  }

  attach(monitor: ServiceMonitor): void {
    this.monitor = monitor;
  }

  async starting(signal: AbortSignal): Promise<void> {
    await this.dependencies.hooks?.starting?.(signal);
  }

  start(): void {
    this.stopController = new AbortController();
    // Ticks that run side by side all listen to it, and Node takes the eleventh for a leak.
    if (this.dependencies.options.overlap === 'parallel') setMaxListeners(0, this.stopController.signal);
    this.count = 0;
    this.missed = 0;
    this.lastError = undefined;
  }

  async started(signal: AbortSignal): Promise<void> {
    await this.dependencies.hooks?.started?.(signal);
  }

  begin(): void {
    this.isOpen = true;
    this.isPaused = false;
    this.home.runInAsyncScope(() => this.armFirst());
  }

  quiesce(): void {
    this.isOpen = false;
    this.timer.disarm();
    for (const occurrence of this.queued.splice(0)) this.skip(occurrence, 'overlap');
  }

  async stopping(signal: AbortSignal): Promise<void> {
    await this.dependencies.hooks?.stopping?.(signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.quiesce();
    this.stopController.abort(new StoppingError(`Service '${this.dependencies.name}'`));
    const ends = [...this.inProgress.values()].map(({ ended }) => ended);
    if (!(await endedBy(Promise.all(ends), signal))) this.giveUpRunning();
  }

  async stopped(signal: AbortSignal): Promise<void> {
    await this.dependencies.hooks?.stopped?.(signal);
  }

  inFlight(): readonly string[] {
    return [...this.inProgress.keys()].map(({ tick }) => `tick ${tick.count} (${tick.id})`);
  }

  trigger(): Promise<TickRecord> {
    return new Promise((done) => {
      this.home.runInAsyncScope(() => this.dispatch({ scheduledAt: this.now(), done }));
    });
  }

  pause(): void {
    this.isPaused = true;
    this.timer.disarm();
    const due = this.queued.filter(({ done }) => done === undefined);
    this.queued = this.queued.filter(({ done }) => done !== undefined);
    for (const occurrence of due) this.skip(occurrence, 'overlap');
  }

  resume(): void {
    this.isPaused = false;
    this.armIfOpen();
  }

  reschedule(schedule: ScheduleChange): void {
    this.timer.replace(resolveSchedule(schedule));
    this.armIfOpen();
  }

  private armFirst(): void {
    const { initialDelayMs, runOnStart } = this.dependencies.options;
    if (initialDelayMs === undefined) {
      this.timer.arm();
      // begin() itself must not run user code
      queueMicrotask(() => (runOnStart ? this.runFirst() : this.completeIfOver()));
    } else {
      // A period that begins after a delay ticks then; a calendar does only when told to.
      const ticksThen = runOnStart || this.timer.trigger.axis === 'monotonic';
      this.timer.armAfter(initialDelayMs, ticksThen, () =>
        ticksThen ? this.runFirst() : this.completeIfOver(),
      );
    }
  }

  private armIfOpen(): void {
    if (!this.isOpen || this.isPaused) return;
    this.home.runInAsyncScope(() => this.timer.arm());
    this.completeIfOver();
  }

  private onDue({ scheduledAt, passed, lateMs }: DueTick): void {
    this.missed += passed;
    const isMisfire = lateMs > latenessAllowedMs;
    if (isMisfire && this.dependencies.options.misfire === 'skip') this.skip({ scheduledAt }, 'misfire');
    else this.dispatch({ scheduledAt });
    this.completeIfOver();
  }

  private runFirst(): void {
    if (this.isOpen && !this.isPaused) this.dispatch({ scheduledAt: this.now() });
  }

  private dispatch(occurrence: Occurrence): void {
    const { overlap } = this.dependencies.options;
    if (this.inProgress.size === 0 || overlap === 'parallel') return this.run(occurrence);
    // One waiting tick stands for all that are due meanwhile, as a PeriodicTimer's does.
    const standsForIt = occurrence.done === undefined && this.queued.some(({ done }) => done === undefined);
    if (overlap === 'skip' || standsForIt) this.skip(occurrence, 'overlap');
    else this.queued.push(occurrence);
  }

  private skip({ scheduledAt, done }: Occurrence, because: 'overlap' | 'misfire'): void {
    this.dependencies.events.emit('tick.skipped', { service: this.dependencies.name, scheduledAt, because });
    if (done === undefined) this.missed += 1;
    else done({ id: '', scheduledAt, startedAt: scheduledAt, endedAt: scheduledAt, outcome: 'skipped' });
  }

  private run({ scheduledAt, done }: Occurrence): void {
    this.count += 1;
    const about = { scheduledAt, count: this.count, missed: this.missed };
    this.missed = 0;
    const execution = new TickExecution(
      this.dependencies,
      this.stopController.signal,
      this.dependencies.options.timeoutMs,
      about,
    );
    // In progress before any code of the user's runs: that may ask for another tick, or for the stop.
    const ended = this.home.runInAsyncScope(() => this.runToEnd(execution, done));
    this.inProgress.set(execution, { done, ended });
  }

  private async runToEnd(execution: TickExecution, done: Occurrence['done']): Promise<void> {
    const record = await execution.run();
    this.inProgress.delete(execution);
    this.lastTick = record;
    if (record.error !== undefined) this.lastError = record.error;
    done?.(record);
    this.onEnd(record);
  }

  /** Whoever asked for a tick that is left behind does not wait for it either. */
  private giveUpRunning(): void {
    for (const [{ tick }, { done }] of this.inProgress) {
      const { id, scheduledAt, startedAt } = tick;
      done?.({ id, scheduledAt, startedAt, endedAt: this.now(), outcome: 'cancelled' });
    }
  }

  private onEnd({ outcome, error }: TickRecord): void {
    const { onError } = this.dependencies.options;
    const hasFailed = outcome === 'failed' || outcome === 'timedOut';
    if (hasFailed && onError !== 'continue') {
      this.quiesce();
      return this.monitor?.faulted(error, onError === 'stopHost' ? 'stopHost' : 'ignore');
    }
    const next = this.queued.shift();
    if (next !== undefined) this.run(next);
    else this.completeIfOver();
  }

  /** Nothing runs, and nothing ever will. */
  private completeIfOver(): void {
    const isStopped = this.stopController.signal.aborted;
    if (this.inProgress.size > 0 || !(isStopped || (this.isOpen && this.timer.isOver))) return;
    this.isOpen = false;
    this.monitor?.completed();
  }

  private now(): Date {
    return new Date(this.dependencies.clock.now());
  }
}
