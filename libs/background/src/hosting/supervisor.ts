import type { Clock } from 'nestjs-nightshift/channels';
import { IllegalStateError, NotTickedError } from '../errors.js';
import type { BackgroundEvents } from '../events/background-events.js';
import { Deadline, endedBy } from './deadline.js';
import type { LifecycleHook } from './hosted-service.js';
import type { ExceptionBehavior } from './hosting.options.js';
import type { ServiceHandle } from './service-handle.js';
import type { ServiceKind } from '../events/events.js';
import type {
  ScheduleChange,
  ServiceMonitor,
  ServiceRunner,
  TickControl,
  TickRecord,
} from './service-runner.js';
import { serviceTransitions, type ServiceState } from './service-state.js';

/** One service as the host is given it. */
export interface ServiceDefinition {
  readonly name: string;
  readonly runner: ServiceRunner;
  readonly exceptionBehavior: ExceptionBehavior;
  readonly enabled: boolean;
  /** The class that the service is asked for by, when there is one. */
  readonly token?: unknown;
}

/** What a supervisor needs of its host. */
export interface SupervisorHost {
  readonly events: BackgroundEvents;
  readonly clock: Clock;
  readonly shutdownTimeoutMs: number;
  /** Whether services may run now: the host has started and is not stopping. */
  readonly isOpen: boolean;
  /** A service failed for good. */
  onFault(service: string, error: unknown, consequence: ExceptionBehavior): void;
}

/** Owns the state of one service: drives its runner through start and stop, and hears from it in between. */
export class Supervisor implements ServiceHandle, ServiceMonitor {
  private current: ServiceState = 'idle';
  private error: unknown;
  private restartCount = 0;
  private startInstant: Date | undefined;
  private stopRun: Promise<void> | undefined;
  private startRun: Promise<void> | undefined;

  constructor(
    readonly definition: ServiceDefinition,
    private readonly host: SupervisorHost,
  ) {
    definition.runner.attach?.(this);
    if (!definition.enabled) this.enter('disabled');
  }

  get name(): string {
    return this.definition.name;
  }

  get kind(): ServiceKind {
    return this.runner.kind;
  }

  get state(): ServiceState {
    return this.current;
  }

  get lastError(): unknown {
    return this.error ?? this.runner.ticks?.lastTick?.error;
  }

  get restarts(): number {
    return this.restartCount;
  }

  get startedAt(): Date | undefined {
    return this.startInstant;
  }

  get lastTick(): TickRecord | undefined {
    return this.runner.ticks?.lastTick;
  }

  get nextTickAt(): Date | undefined {
    return this.runner.ticks?.nextTickAt;
  }

  /** Whether `stop` has something to do. */
  get isStarted(): boolean {
    return ['running', 'paused', 'restarting', 'stopping'].includes(this.current);
  }

  // -- driven by the host ---------------------------------------------------------------------------------------

  /** One hook of one phase of start or stop. Rejects with what the hook throws. */
  async call(hook: LifecycleHook, signal: AbortSignal): Promise<void> {
    switch (hook) {
      case 'starting':
        this.enter('starting');
        return this.orFaulted(async () => this.runner.starting?.(signal));
      case 'start':
        await this.orFaulted(async () => this.runner.start(signal));
        this.startInstant = new Date(this.host.clock.now());
        this.error = undefined;
        this.restartCount = 0;
        return this.enter('running');
      case 'started':
        return this.orFaulted(async () => this.runner.started?.(signal));
      case 'stop':
        return (this.stopRun ??= this.stopWithin(signal).finally(() => (this.stopRun = undefined)));
      case 'stopping':
      case 'stopped':
        await this.callAtStop(async () => this.runner[hook]?.(signal), signal);
    }
  }

  /** The whole host has started. */
  begin(): void {
    this.host.events.emit('service.started', { ...this.label });
    this.runner.begin?.();
  }

  /** The start of the host failed, or was given up, before this service had its turn. */
  giveUpStart(): void {
    if (this.current === 'starting') this.enter('stopped');
  }

  quiesce(): void {
    this.runner.quiesce?.();
  }

  // -- told by the runner ---------------------------------------------------------------------------------------

  completed(): void {
    if (this.current === 'abandoned') return this.enter('stopped');
    if (!this.isStarted || this.current === 'stopping') return; // stopWithin() sees it through
    this.enter('completed');
    this.host.events.emit('service.completed', { ...this.label });
  }

  faulted(error: unknown, consequence: ExceptionBehavior = this.definition.exceptionBehavior): void {
    this.error = error;
    if (this.restartCount > 0 && this.current === 'running') {
      this.host.events.emit('service.gaveUp', { ...this.label, error, restarts: this.restartCount });
    }
    if (this.current === 'abandoned') this.enter('stopped');
    else if (this.isStarted) this.enter('faulted');
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

  async trigger(): Promise<TickRecord> {
    const ticks = this.ticksFor('trigger');
    if (!this.host.isOpen) throw new IllegalStateError('the host', 'not running', 'trigger()');
    if (this.current !== 'running' && this.current !== 'paused') {
      throw new IllegalStateError(`service '${this.name}'`, this.current, 'trigger()');
    }
    return ticks.trigger();
  }

  pause(): void {
    const ticks = this.ticksFor('pause');
    if (this.current === 'paused') return;
    this.enter('paused');
    ticks.pause();
    this.host.events.emit('service.paused', { ...this.label });
  }

  resume(): void {
    const ticks = this.ticksFor('resume');
    if (this.current === 'running') return;
    this.enter('running');
    ticks.resume();
    this.host.events.emit('service.resumed', { ...this.label });
  }

  reschedule(schedule: ScheduleChange): void {
    const ticks = this.ticksFor('reschedule');
    ticks.reschedule(schedule);
    this.host.events.emit('service.rescheduled', { ...this.label, nextTickAt: ticks.nextTickAt });
  }

  async stop(): Promise<void> {
    if (!this.isStarted) return;
    using deadline = new Deadline(this.host.clock, this.host.shutdownTimeoutMs, () => undefined);
    await this.call('stopping', deadline.signal);
    await this.call('stop', deadline.signal);
    await this.call('stopped', deadline.signal);
  }

  start(): Promise<void> {
    return (this.startRun ??= this.startAlone().finally(() => (this.startRun = undefined)));
  }

  private async startAlone(): Promise<void> {
    await this.stopRun;
    if (this.isStarted) return;
    if (!this.host.isOpen)
      throw new IllegalStateError('the host', 'not running', `Starting service '${this.name}'`);
    const { signal } = new AbortController(); // nothing gives up the start of a single service
    await this.call('starting', signal);
    await this.call('start', signal);
    await this.call('started', signal);
    this.begin();
  }

  // -- inside ---------------------------------------------------------------------------------------------------

  private get label(): { service: string; kind: ServiceKind } {
    return { service: this.name, kind: this.kind };
  }

  private get runner(): ServiceRunner {
    return this.definition.runner;
  }

  private async stopWithin(signal: AbortSignal): Promise<void> {
    if (!this.isStarted) {
      // Ended by itself; but ticks that were running beside the last one may not have.
      if (this.inFlight().length > 0) await this.callAtStop(async () => this.runner.stop(signal), signal);
      return;
    }
    const begunAt = this.host.clock.monotonic();
    this.enter('stopping');
    this.host.events.emit('service.stopping', { ...this.label });
    let ended = true;
    try {
      ended = await this.callAtStop(async () => this.runner.stop(signal), signal);
    } finally {
      this.finishStop(ended, begunAt);
    }
  }

  private finishStop(ended: boolean, begunAt: number): void {
    const running = ended ? this.inFlight() : ['stop()'];
    if (running.length > 0) {
      this.enter('abandoned');
      this.host.events.emit('service.abandoned', { ...this.label, running });
    } else {
      if (this.current === 'stopping') this.enter('stopped'); // not when it faulted while stopping
      const durationMs = this.host.clock.monotonic() - begunAt;
      this.host.events.emit('service.stopped', { ...this.label, durationMs });
    }
  }

  private inFlight(): readonly string[] {
    return this.runner.inFlight?.() ?? [];
  }

  /** Runs a stop hook, not waiting for it beyond the deadline. Returns whether it has ended. */
  private async callAtStop(hook: () => Promise<void>, signal: AbortSignal): Promise<boolean> {
    const work = hook();
    work.catch(() => {}); // may reject after it was given up on
    try {
      return await endedBy(work, signal);
    } catch (error) {
      this.error = error;
      this.host.events.emit('service.stopFailed', { ...this.label, error });
      throw error;
    }
  }

  private async orFaulted(hook: () => Promise<void>): Promise<void> {
    try {
      await hook();
    } catch (error) {
      this.error = error;
      if (this.current === 'starting') this.enter('faulted');
      throw error;
    }
  }

  private ticksFor(operation: string): TickControl {
    const ticks = this.runner.ticks;
    if (ticks === undefined) throw new NotTickedError(this.name, operation);
    return ticks;
  }

  private enter(next: ServiceState): void {
    if (!serviceTransitions[this.current].includes(next)) {
      throw new IllegalStateError(`service '${this.name}'`, this.current, `Becoming ${next}`);
    }
    this.current = next;
  }
}
