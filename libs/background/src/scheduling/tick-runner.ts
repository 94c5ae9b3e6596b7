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
import type { OccurrenceStorage } from '../hosting/occurrence-storage.js';
import { resolveSchedule, type ResolvedTickOptions } from './background-service.options.js';
import type { KeptOccurrence, Occurrence, SkipReason } from './occurrence.js';
import { OccurrenceKeeper, type KeeperOwner } from './occurrence-keeper.js';
import { RunningTicks, type EndedTick } from './running-ticks.js';
import { ScheduleTimer, type DueTick } from './schedule-timer.js';
import type { TickExecutionDependencies } from './tick-execution.js';
import type { Trigger } from './trigger.js';

/** A tick that is later than this is a misfire. */
const latenessAllowedMs = 1_000;

export interface TickRunnerDependencies extends TickExecutionDependencies {
  readonly options: ResolvedTickOptions & { readonly trigger: Trigger };
  /** Hooks of the service's class, when it has one instance for all ticks. */
  readonly hooks?: Partial<Pick<HostedService, 'starting' | 'started' | 'stopping' | 'stopped'>> | undefined;
  /** Remembers over restarts, and for several processes, what has run. */
  readonly occurrences?: OccurrenceStorage | undefined;
  /** @default Math.random */
  readonly random?: () => number;
}

/** Runs a service's ticks: when the schedule says so, each in a scope of its own, overlapping only if told to. */
export class TickRunner implements ServiceRunner, TickControl {
  readonly kind = 'ticked';
  readonly ticks: TickControl = this;
  lastTick: TickRecord | undefined;
  lastError: unknown;

  private readonly timer: ScheduleTimer;
  private readonly keeper: OccurrenceKeeper | undefined;
  /**
   * The async context that the service was made in. A timer keeps the context in which it is armed, and so does each one
   * that is armed when it fires: a request that steers the service would be seen by all ticks from then on.
   */
  private readonly home = new AsyncResource('nightshift service');
  private readonly inProgress: RunningTicks;
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
    const { options, clock, occurrences, random = Math.random } = dependencies;
    this.timer = new ScheduleTimer(options.trigger, clock, options.jitterMs, random, (tick) =>
      this.onDue(tick),
    );
    this.inProgress = new RunningTicks(dependencies, options.timeoutMs, this.home, (tick) =>
      this.onEnd(tick),
    );
    if (occurrences !== undefined) this.keeper = this.keepIn(occurrences);
  }

  get exclusive(): boolean {
    return this.dependencies.options.exclusive;
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
    this.keeper?.open();
    this.home.runInAsyncScope(() => this.armFirst());
  }

  quiesce(): void {
    this.isOpen = false;
    this.timer.disarm();
    for (const occurrence of this.queued.splice(0)) this.drop(occurrence);
    this.keeper?.quiesce();
  }

  async stopping(signal: AbortSignal): Promise<void> {
    await this.dependencies.hooks?.stopping?.(signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.quiesce();
    this.stopController.abort(new StoppingError(`Service '${this.dependencies.name}'`));
    const ended = this.inProgress.allEnded().then(() => this.keeper?.idle());
    if (!(await endedBy(ended, signal))) this.inProgress.giveUp(this.now());
  }

  async stopped(signal: AbortSignal): Promise<void> {
    await this.dependencies.hooks?.stopped?.(signal);
  }

  inFlight(): readonly string[] {
    const ticks = this.inProgress.inFlight;
    return this.keeper === undefined ? ticks : [...ticks, ...this.keeper.inFlight];
  }

  trigger(): Promise<TickRecord> {
    return new Promise((done) => {
      this.home.runInAsyncScope(() => this.dispatch({ scheduledAt: this.now(), passed: 0, done }));
    });
  }

  pause(): void {
    this.isPaused = true;
    this.timer.disarm();
    const due = this.queued.filter(({ done }) => done === undefined);
    this.queued = this.queued.filter(({ done }) => done !== undefined);
    for (const occurrence of due) this.drop(occurrence);
    this.keeper?.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.armIfOpen();
  }

  reschedule(schedule: ScheduleChange): void {
    this.timer.replace(resolveSchedule(schedule, this.exclusive));
    this.armIfOpen();
  }

  private armFirst(): void {
    const { initialDelayMs, runOnStart } = this.dependencies.options;
    if (initialDelayMs === undefined) {
      this.timer.arm();
      // begin() itself must not run user code
      queueMicrotask(() => (runOnStart ? this.runFirst() : this.onBegun()));
    } else {
      // A period that begins after a delay ticks then; a calendar does only when told to.
      const ticksThen = runOnStart || this.timer.trigger.axis === 'monotonic';
      this.timer.armAfter(initialDelayMs, ticksThen, () => (ticksThen ? this.runFirst() : this.onBegun()));
    }
  }

  private onBegun(): void {
    if (this.isOpen && !this.isPaused) this.keeper?.begin();
    this.completeIfOver();
  }

  private armIfOpen(): void {
    if (!this.isOpen || this.isPaused) return;
    this.home.runInAsyncScope(() => {
      this.timer.arm();
      this.keeper?.goOn();
    });
    this.completeIfOver();
  }

  private onDue(tick: DueTick): void {
    this.keeper?.supersede();
    const occurrence = this.keeper?.occurrenceOf(tick) ?? tick;
    const isMisfire = tick.lateMs > latenessAllowedMs;
    if (isMisfire && this.dependencies.options.misfire === 'skip') this.skip(occurrence, 'misfire');
    else this.dispatch(occurrence);
    this.completeIfOver();
  }

  private runFirst(): void {
    if (this.isOpen && !this.isPaused) this.dispatch({ scheduledAt: this.now(), passed: 0 });
  }

  private dispatch(occurrence: Occurrence): void {
    const { overlap } = this.dependencies.options;
    if (this.inProgress.size === 0 || overlap === 'parallel') return this.admit(occurrence);
    // One waiting tick stands for all that are due meanwhile, as a PeriodicTimer's does.
    const standsForIt = occurrence.done === undefined && this.queued.some(({ done }) => done === undefined);
    if (overlap === 'skip' || standsForIt) this.skip(occurrence, 'overlap');
    else this.queued.push(occurrence);
  }

  private skip({ scheduledAt, passed, done }: Occurrence, because: SkipReason): void {
    this.dependencies.events.emit('tick.skipped', { service: this.dependencies.name, scheduledAt, because });
    if (done !== undefined)
      done({ id: '', scheduledAt, startedAt: scheduledAt, endedAt: scheduledAt, outcome: 'skipped' });
    else if (because !== 'exclusive') this.missed += 1 + passed;
  }

  /** Lets go of a tick that waited. */
  private drop(occurrence: Occurrence): void {
    if (!occurrence.isClaimed) return this.skip(occurrence, 'overlap');
    this.missed += 1 + occurrence.passed;
    this.keeper!.noteEnd(occurrence, false);
  }

  private admit(occurrence: Occurrence): void {
    if (!this.keeper?.holdsBack(occurrence)) this.run(occurrence);
  }

  private run(occurrence: Occurrence): void {
    this.count += 1;
    const about = { count: this.count, missed: this.missed + occurrence.passed };
    this.missed = 0;
    this.inProgress.run(occurrence, about, this.stopController.signal);
    this.keeper?.noteBegin(occurrence);
  }

  private onEnd({ record, occurrence, hasBegun }: EndedTick): void {
    const { outcome, error } = record;
    this.lastTick = record;
    if (error !== undefined) this.lastError = error;
    this.keeper?.noteEnd(occurrence, hasBegun);
    occurrence.done?.(record);
    const { onError } = this.dependencies.options;
    const hasFailed = outcome === 'failed' || outcome === 'timedOut';
    if (hasFailed && onError !== 'continue') {
      this.quiesce();
      return this.monitor?.faulted(error, onError === 'stopHost' ? 'stopHost' : 'ignore');
    }
    // One that has to be claimed first does not keep the others waiting.
    while (this.queued.length > 0 && this.inProgress.size === 0) this.admit(this.queued.shift()!);
    this.completeIfOver();
  }

  /** Nothing runs, and nothing ever will. */
  private completeIfOver(): void {
    if (this.inProgress.size > 0 || this.keeper?.isBusy) return;
    const isStopped = this.stopController.signal.aborted;
    const isOver = this.isOpen && this.timer.isOver && !this.keeper?.isWatching;
    if (!isStopped && !isOver) return;
    this.isOpen = false;
    this.monitor?.completed();
  }

  private keepIn(storage: OccurrenceStorage): OccurrenceKeeper {
    const owner: KeeperOwner = {
      won: (occurrence) => this.onWon(occurrence),
      lost: (occurrence, because) => this.skip(occurrence, because),
      late: (occurrence) => this.drop(occurrence),
      next: (occurrence) => this.dispatch(occurrence),
      missed: (occurrence) => this.home.runInAsyncScope(() => this.onMissed(occurrence)),
    };
    const onIdle = (): void => this.completeIfOver();
    const trigger = (): Trigger => this.timer.trigger;
    return new OccurrenceKeeper({ ...this.dependencies, storage, trigger, owner, onIdle });
  }

  private onWon(occurrence: KeptOccurrence): void {
    const { overlap } = this.dependencies.options;
    // Meanwhile it may have been paused, or a tick that was asked for by hand may have begun.
    const isFree = this.inProgress.size === 0 || overlap === 'parallel';
    if (this.isPaused || (!isFree && overlap === 'skip')) this.drop(occurrence);
    else if (isFree) this.run(occurrence);
    else this.queued.push(occurrence);
  }

  private onMissed(occurrence: KeptOccurrence): void {
    const isQueued = this.queued.some(({ dueAtMs }) => dueAtMs === occurrence.dueAtMs);
    if (this.isOpen && !this.isPaused && !isQueued) this.dispatch(occurrence);
  }

  private now(): Date {
    return new Date(this.dependencies.clock.now());
  }
}
