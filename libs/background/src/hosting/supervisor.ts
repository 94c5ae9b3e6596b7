import { combineErrors, IllegalStateError, isCancellation, StoppingError } from '../errors.js';
import { Deadline, endedBy } from './deadline.js';
import type { LifecycleHook } from './hosted-service.js';
import type { ExceptionBehavior } from './hosting.options.js';
import type { ServiceHandle } from './service-handle.js';
import type { ServiceDefinition, SupervisorHost } from './service-record.js';
import type { ServiceMonitor } from './service-runner.js';
import { SharedRun } from './shared-run.js';
import { StopSequence, stopHooks, type StopHook } from './stop-sequence.js';
import { TickSteering } from './tick-steering.js';

export type { ServiceDefinition, SupervisorHost } from './service-record.js';

const startHooks = ['starting', 'start', 'started'] as const;
type StartHook = (typeof startHooks)[number];

/** Drives the runner of one service through start and stop, and hears from it in between. */
export class Supervisor extends TickSteering implements ServiceHandle, ServiceMonitor {
  /** The start hook that is being waited for. */
  private startHook: StartHook | undefined;
  private startHookRun = new SharedRun<void>();
  /** From a `start` that succeeded until the next one. */
  private stopSequence: StopSequence | undefined;
  private stopBegunAt: number | undefined;
  /** A start of this service alone that is under way. */
  startRun: Promise<void> | undefined;
  private readonly stopRun = new SharedRun<void>();
  /** Whether a stop of this service alone is under way that does not let the start of the host go on with it. */
  private endsStart = false;
  /** Whether the host has another service of this name instead. */
  private isRetired = false;

  constructor(definition: ServiceDefinition, host: SupervisorHost) {
    super(definition, host);
    definition.runner.attach?.(this);
  }

  /** Whether hooks of the stop are still due: also of a service that ended by itself. */
  get needsStop(): boolean {
    return this.stopSequence?.isOver === false;
  }

  /** Whether it has failed or been stopped, and nothing is under way. */
  get isAtRest(): boolean {
    return ['faulted', 'stopped'].includes(this.state) && this.startRun === undefined && !this.needsStop;
  }

  /** Whether it has started and is not being stopped: the start may go on. */
  get isUp(): boolean {
    return this.isRunning && !this.endsStart && this.stopSequence?.hasBegun === false;
  }

  /** What of it is running now, by name: hooks that were given up on, and work. */
  get inFlight(): readonly string[] {
    const hanging = [...(this.stopSequence?.hanging ?? []), ...(this.runner.inFlight?.() ?? [])];
    return this.startHook === undefined ? hanging : [`${this.startHook}()`, ...hanging];
  }

  // -- driven by the host ---------------------------------------------------------------------------------------

  /** One hook of one phase of start or stop. Rejects with what the hook throws. */
  async call(hook: LifecycleHook, signal: AbortSignal): Promise<void> {
    switch (hook) {
      case 'starting':
        this.enter('starting');
        this.stopSequence = undefined;
        return this.callAtStart(hook, signal);
      case 'start':
        await this.callAtStart(hook, signal);
        return this.onStarted();
      case 'started':
        if (this.isUp) await this.callAtStart(hook, signal); // not when it is stopped through its handle
        return;
      default:
        await this.stopSequence?.run(hook, signal);
    }
  }

  /** The whole host has started. */
  begin(): void {
    if (!this.host.isOpen || !this.isUp) return; // whoever was told before this one may have asked for the stop
    this.host.events.emit('service.started', { ...this.label });
    this.runner.begin?.();
  }

  /** The start of the host failed, or was given up, before this service had its turn or while it had it. */
  giveUpStart(): void {
    if (this.state !== 'starting') return;
    if (this.startHook === undefined) return this.enter('stopped');
    this.abandon([`${this.startHook}()`]);
  }

  /** From now on it cannot be started: nobody would stop it. */
  retire(): void {
    this.isRetired = true;
  }

  quiesce(): void {
    this.runner.quiesce?.('host');
  }

  // -- told by the runner ---------------------------------------------------------------------------------------

  completed(): void {
    if (this.state === 'abandoned') return this.settleAbandoned();
    if (!this.isRunning || this.state === 'stopping') return; // the stop sees it through
    this.enter('completed');
    this.host.events.emit('service.completed', { ...this.label });
  }

  faulted(error: unknown, consequence: ExceptionBehavior = this.definition.exceptionBehavior): void {
    if (this.state === 'faulted') return; // ticks that ran in parallel: each has its own event, the service faults once
    this.error = error;
    if (this.restartCount > 0 && this.state === 'running' && this.host.isOpen) {
      this.host.events.emit('service.gaveUp', { ...this.label, error, restarts: this.restartCount });
    }
    if (this.state === 'abandoned') this.settleAbandoned();
    else if (this.isRunning) this.enter('faulted');
    const stopsHost = consequence === 'stopHost';
    this.host.events.emit('service.faulted', {
      ...this.label,
      error,
      consequence: stopsHost ? 'stopHost' : 'none',
    });
    this.host.onFault(this.name, error, consequence);
  }

  restarting(error: unknown, delayMs: number): void {
    this.error = error;
    this.restartCount += 1;
    this.enter('restarting');
    this.host.events.emit('service.restarting', {
      ...this.label,
      error,
      restarts: this.restartCount,
      delayMs,
    });
  }

  restarted(): void {
    this.enter('running');
  }

  // -- asked by users -------------------------------------------------------------------------------------------

  stop(): Promise<void> {
    return this.stopRun.join(() => this.stopAlone().finally(() => this.onStopEnded()));
  }

  start(): Promise<void> {
    return (this.startRun ??= this.startAlone().finally(() => (this.startRun = undefined)));
  }

  // -- inside ---------------------------------------------------------------------------------------------------

  private async stopAlone(): Promise<void> {
    using deadline = this.stopDeadline();
    this.endsStart = this.startRun === undefined; // a start of its own is finished first
    if (this.startRun !== undefined || this.startHook !== undefined) {
      // The host may be in the middle of starting it: no hook of the stop runs beside one of the start.
      await endedBy(Promise.allSettled([this.startRun, this.startHookRun.current]), deadline.signal);
    }
    if (!this.isRunning) return;
    this.runner.quiesce?.('service');
    await this.runStopHooks(deadline.signal);
  }

  private onStopEnded(): void {
    this.stopRun.current = undefined;
    this.endsStart = false;
  }

  private async startAlone(): Promise<void> {
    await this.stopRun.current?.catch(() => {}); // it rejects for whoever asked for it
    if (this.isRunning) return;
    if (this.isRetired) throw new IllegalStateError(`service '${this.name}'`, 'replaced', 'Starting it');
    this.expectOpenHost();
    await this.runOwedStopHooks();
    // Its own signal: once started, what listens to it is not to hear of the stop before its turn.
    using start = new Deadline(this.host.clock, Infinity, () => undefined, [this.host.stopping]);
    try {
      for (const hook of startHooks) {
        await this.call(hook, start.signal);
        this.expectOpenHost();
      }
    } catch (error) {
      this.giveUpStart();
      await this.runOwedStopHooks();
      throw error;
    }
    this.begin();
  }

  private expectOpenHost(): void {
    if (this.host.isOpen) return;
    throw new IllegalStateError('the host', 'not running', `Starting service '${this.name}'`);
  }

  /** For a service that ended by itself, or only half started. What goes wrong is an event. */
  private async runOwedStopHooks(): Promise<void> {
    if (!this.needsStop) return;
    using deadline = this.stopDeadline();
    await this.runStopHooks(deadline.signal).catch(() => {});
  }

  private async runStopHooks(signal: AbortSignal): Promise<void> {
    const errors: unknown[] = [];
    for (const hook of stopHooks) await this.call(hook, signal).catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw combineErrors(errors, `Service '${this.name}' failed to stop.`);
  }

  private stopDeadline(): Deadline {
    const passed = (): unknown => new StoppingError(`The time to stop is up: service '${this.name}'`);
    return new Deadline(this.host.clock, this.host.shutdownTimeoutMs, passed);
  }

  private callAtStart(hook: StartHook, signal: AbortSignal): Promise<void> {
    this.startHookRun = new SharedRun();
    return this.startHookRun.join(() => this.runStartHook(hook, signal));
  }

  private async runStartHook(hook: StartHook, signal: AbortSignal): Promise<void> {
    this.startHook = hook;
    try {
      await this.runner[hook]?.(signal);
    } catch (error) {
      const gaveUp = signal.reason instanceof StoppingError && isCancellation(error, signal);
      if (!gaveUp) this.error = error;
      if (this.state === 'starting') this.enter(gaveUp ? 'stopped' : 'faulted');
      this.startHook = undefined;
      this.settleAbandoned();
      throw error;
    }
    this.startHook = undefined;
    if (hook !== 'start') this.settleAbandoned(); // a start that succeeds late is stopped first
  }

  private onStarted(): Promise<void> | void {
    this.stopSequence = new StopSequence(this.runner, {
      begun: (hook) => hook === 'stop' && this.onStopBegun(),
      ended: (hook) => this.onStopHookEnded(hook),
      failed: (error) => this.onStopFailed(error),
      endedLate: () => this.settleAbandoned(),
    });
    // The host has stopped without it meanwhile: what it acquired is released at once.
    if (this.state === 'abandoned') return this.runOwedStopHooks();
    this.startInstant = new Date(this.host.clock.now());
    this.error = undefined;
    this.restartCount = 0;
    this.enter('running');
  }

  private onStopBegun(): void {
    this.stopBegunAt = undefined;
    if (!this.isRunning) return; // it ended by itself; the hooks are due all the same
    this.stopBegunAt = this.host.clock.monotonic();
    this.enter('stopping');
    this.host.events.emit('service.stopping', { ...this.label });
  }

  private onStopHookEnded(hook: StopHook): void {
    if (hook === 'stopping') return;
    // What was left at the end of `stop` has been named then.
    const running = this.inFlight.filter((name) => hook === 'stop' || name === `${hook}()`);
    if (running.length > 0) return this.abandon(running);
    if (this.state === 'stopping') this.enter('stopped'); // not when it faulted while stopping
    this.settleAbandoned();
    if (hook === 'stopped') return;
    if (this.stopBegunAt === undefined) return;
    const durationMs = this.host.clock.monotonic() - this.stopBegunAt;
    this.host.events.emit('service.stopped', { ...this.label, durationMs });
  }

  private onStopFailed(error: unknown): void {
    this.error = error;
    this.host.events.emit('service.stopFailed', { ...this.label, error });
  }

  private abandon(running: readonly string[]): void {
    if (this.state !== 'abandoned') this.enter('abandoned');
    this.host.events.emit('service.abandoned', { ...this.label, running });
  }

  private settleAbandoned(): void {
    if (this.state === 'abandoned' && this.inFlight.length === 0) this.enter('stopped');
  }
}
