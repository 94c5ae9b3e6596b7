import type { Clock } from 'nestjs-nightshift/channels';
import {
  combineErrors,
  IllegalStateError,
  isCancellation,
  StartupTimeoutError,
  StoppingError,
} from '../errors.js';
import type { BackgroundEvents } from '../events/background-events.js';
import { Deadline, endedBy } from './deadline.js';
import type { ExceptionBehavior, ResolvedHostingOptions } from './hosting.options.js';
import { runPhase } from './lifecycle-phase.js';
import type { ApplicationLifetime } from './lifetime.js';
import type { ServiceHandle } from './service-handle.js';
import type { ServiceDefinition, SupervisorHost } from './service-record.js';
import { ServiceList } from './service-list.js';
import { SharedRun } from './shared-run.js';
import { lastTurns, stopHooks, type StopHook } from './stop-sequence.js';
import { Supervisor } from './supervisor.js';

/** Turns what a user adds at run time into a definition. What that may be is the business of a higher layer. */
export type ServiceComposer = (service: unknown, options: unknown) => ServiceDefinition;

export interface HostDependencies {
  readonly options: ResolvedHostingOptions;
  readonly events: BackgroundEvents;
  readonly lifetime: ApplicationLifetime;
  readonly compose: ServiceComposer;
}

/**
 * Starts services in order, stops them in reverse, and knows them all. The module calls {@link start} and {@link stop};
 * applications use {@link services}, {@link service} and {@link addService}.
 *
 * @see .NET `IHost`
 */
export class BackgroundHost implements SupervisorHost {
  private readonly list = new ServiceList();
  private readonly supervisors = this.list.all;
  private readonly faultErrors: unknown[] = [];
  private readonly startRun = new SharedRun<void>();
  private readonly stoppingRun = new SharedRun<readonly unknown[]>();
  private readonly stopRun = new SharedRun<void>();
  /** How much of the time to stop the `stopping` hooks took. */
  private stoppingHooksMs = 0;
  private isPastDeadline = false;
  /** Aborted when a caller of {@link stop} gives up waiting. */
  private readonly hurry = new AbortController();
  private keepAliveHandle: NodeJS.Timeout | undefined;

  constructor(private readonly dependencies: HostDependencies) {
    this.lifetime.stopping.addEventListener('abort', () => this.onStopping(), { once: true });
  }

  /** Every service, in the order in which they start. */
  get services(): readonly ServiceHandle[] {
    return this.supervisors;
  }

  /** What faulted services threw, of those whose fault stopped the host. */
  get faults(): readonly unknown[] {
    return this.faultErrors;
  }

  /** @internal What would be cut off if the process ended now: services that have not finished, with what they do. */
  get unfinished(): readonly string[] {
    return this.supervisors
      .filter(({ state, inFlight }) => state === 'stopping' || inFlight.length > 0)
      .map(({ name, inFlight }) => (inFlight.length === 0 ? name : `${name} (${inFlight.join(', ')})`));
  }

  /** Whether services may run now: the host has started and is not stopping. */
  get isOpen(): boolean {
    return this.lifetime.started.aborted && !this.lifetime.stopping.aborted;
  }

  get events(): BackgroundEvents {
    return this.dependencies.events;
  }

  get clock(): Clock {
    return this.options.clock;
  }

  get shutdownTimeoutMs(): number {
    return this.options.shutdownTimeoutMs;
  }

  get stopping(): AbortSignal {
    return this.lifetime.stopping;
  }

  /**
   * The service of this name, or of this class.
   *
   * @throws UnknownNameError when there is none; it names the nearest one
   */
  service(nameOrClass: string | (abstract new (...args: never[]) => unknown)): ServiceHandle {
    return this.list.find(nameOrClass);
  }

  /**
   * Adds a service at run time. When the host has started it starts at once, and this waits for it; otherwise it starts
   * with the others, after them. It stops with the others, before all that were there before it. When it fails to start
   * its handle stays, but its name is free again.
   *
   * @param service an object with `execute()`, or with `start()` and `stop()`
   * @param options those of `@BackgroundService()`; `name` is required when the object has no class of its own
   */
  async addService(service: object, options: object = {}): Promise<ServiceHandle> {
    if (this.lifetime.stopping.aborted)
      throw new IllegalStateError('the host', 'stopping', 'Adding a service');
    const supervisor = this.add(this.dependencies.compose(service, options));
    if (!this.isOpen || supervisor.state !== 'idle') return supervisor;
    try {
      await supervisor.start();
    } catch (error) {
      this.list.markFailed(supervisor);
      throw error;
    }
    return supervisor;
  }

  /** @internal Adds a service before the start. */
  add(definition: ServiceDefinition): Supervisor {
    const { name, runner } = definition;
    return this.list.add(name, () => {
      const enabled = definition.enabled && this.options.enabled({ name, kind: runner.kind });
      return new Supervisor({ ...definition, enabled }, this);
    });
  }

  /**
   * Starts every service, in order, phase by phase. Resolves when all have started, or when stopping was asked for
   * meanwhile: then nothing more is started, and `lifetime.started` is not signalled.
   *
   * Rejects with what a service threw (several: an `AggregateError`), after stopping, in reverse, what had started.
   */
  start(): Promise<void> {
    return this.startRun.join(() => this.startAll());
  }

  /**
   * Runs the `stopping` hooks and signals `lifetime.stopping`. {@link stop} does so first; the module does it earlier,
   * when the application begins to close. Never rejects: the errors come out of {@link stop}.
   */
  async signalStopping(): Promise<void> {
    await this.stoppingRun.join(() => this.runStoppingHooks());
  }

  /**
   * Stops every service in reverse order, within `shutdownTimeout`. Every call gives the same promise. Rejects, when all
   * is done, with what went wrong in stop hooks and with the faults that stopped the host: one as itself, several as an
   * `AggregateError`.
   *
   * @param signal moves the deadline to the moment when it is aborted
   */
  stop(signal?: AbortSignal): Promise<void> {
    const hurry = (): void => this.hurry.abort(signal?.reason);
    if (signal?.aborted) hurry();
    else signal?.addEventListener('abort', hurry, { signal: this.lifetime.stopped });
    return this.stopRun.join(() => this.stopAll());
  }

  /** @internal */
  onFault(service: string, error: unknown, consequence: ExceptionBehavior): void {
    if (consequence === 'ignore') return;
    this.faultErrors.push(error);
    this.lifetime.stopApplication(new Error(`service '${service}' faulted`, { cause: error }));
  }

  private get options(): ResolvedHostingOptions {
    return this.dependencies.options;
  }

  private get lifetime(): ApplicationLifetime {
    return this.dependencies.lifetime;
  }

  private async startAll(): Promise<void> {
    if (this.lifetime.stopping.aborted) return;
    const { events, clock, lifetime, options } = this;
    const begunAt = clock.monotonic();
    events.emit('host.starting', { services: this.idle().length });
    if (options.keepAlive) this.keepAliveHandle = setInterval(() => {}, 2 ** 30);
    const timedOut = (): unknown => new StartupTimeoutError(options.startupTimeoutMs);
    using deadline = new Deadline(clock, options.startupTimeoutMs, timedOut, [lifetime.stopping]);

    // Another round for each service that is added meanwhile.
    for (let services = this.idle(); services.length > 0; services = this.idle()) {
      const errors = await this.runStartPhases(services, deadline.signal);
      if (errors.length > 0) throw await this.failStart(errors, deadline);
      if (lifetime.stopping.aborted) return this.giveUpStart();
    }
    const started = this.supervisors.filter(({ isUp }) => isUp);
    lifetime.notifyStarted();
    const durationMs = clock.monotonic() - begunAt;
    events.emit('host.started', { services: started.map(({ name }) => name), durationMs });
    for (const supervisor of started) supervisor.begin();
  }

  /** Gives the errors of the first phase that has any. */
  private async runStartPhases(services: readonly Supervisor[], signal: AbortSignal): Promise<unknown[]> {
    const { lifetime, options } = this;
    const concurrently = options.servicesStartConcurrently;
    const until = (errors: readonly unknown[]): boolean => errors.length > 0 || lifetime.stopping.aborted;
    for (const hook of ['starting', 'start', 'started'] as const) {
      const errors = await runPhase(services, hook, { signal, concurrently, until });
      const isStopping = lifetime.stopping.aborted;
      // To give up because of the stop is no failure. To fail meanwhile is.
      const failures = isStopping ? errors.filter((error) => !isCancellation(error, signal)) : errors;
      if (isStopping || failures.length > 0) return failures;
    }
    return [];
  }

  private async failStart(errors: readonly unknown[], startup: Deadline): Promise<unknown> {
    this.giveUpStart();
    // That a hook gave up because the time was up is told once, and does not stand beside real failures.
    const failures = errors.filter((error) => !isCancellation(error, startup.signal));
    const cause = combineErrors(failures, `${failures.length} services failed to start.`);
    const options = failures.length > 0 ? { cause } : undefined;
    const error = startup.expired ? new StartupTimeoutError(this.options.startupTimeoutMs, options) : cause;
    this.events.emit('host.startFailed', { error });
    using deadline = this.deadline(this.options.shutdownTimeoutMs);
    await this.stopServices(deadline.signal); // what goes wrong here is an event; the caller is told why the start failed
    return error;
  }

  private giveUpStart(): void {
    for (const supervisor of this.supervisors) supervisor.giveUpStart();
  }

  private async runStoppingHooks(): Promise<readonly unknown[]> {
    const begunAt = this.clock.monotonic();
    using deadline = this.deadline(this.options.shutdownTimeoutMs);
    await this.endOfStart(deadline.signal);
    const errors = await this.runStopPhase('stopping', deadline.signal);
    this.stoppingHooksMs = this.clock.monotonic() - begunAt;
    this.lifetime.stopApplication();
    return errors;
  }

  private async stopAll(): Promise<void> {
    const begunAt = this.clock.monotonic();
    const errors = [...(await this.stoppingRun.join(() => this.runStoppingHooks()))];
    using deadline = this.deadline(this.options.shutdownTimeoutMs - this.stoppingHooksMs);
    // Meanwhile a service may have been added, or started by its handle.
    if (!this.isPastDeadline) await this.endOfStart(deadline.signal);
    errors.push(...(await this.stopServices(deadline.signal)));
    this.events.emit('host.stopped', { durationMs: this.clock.monotonic() - begunAt, errors });
    this.lifetime.notifyStopped();
    const all = [...this.faultErrors, ...errors];
    if (all.length > 0) throw combineErrors(all, 'The host stopped with several errors.');
  }

  private async stopServices(signal: AbortSignal): Promise<readonly unknown[]> {
    const errors: unknown[] = [];
    // `stopping` is for those that have not had it: a failed start, or a service that got going in the meantime.
    for (const hook of stopHooks) errors.push(...(await this.runStopPhase(hook, signal)));
    clearInterval(this.keepAliveHandle);
    return errors;
  }

  /** A stop that comes during a start gives the start up first. */
  private async endOfStart(signal: AbortSignal): Promise<void> {
    const starts = this.supervisors.flatMap(({ startRun = [] }) => startRun);
    const { current: hostStart } = this.startRun;
    if (hostStart !== undefined && !this.lifetime.started.aborted) starts.push(hostStart);
    if (starts.length === 0) return;
    this.lifetime.stopApplication();
    const ends = Promise.allSettled(starts); // how they end is told to whoever asked for them
    if (!(await endedBy(ends, signal, lastTurns))) this.giveUpStart();
  }

  private idle(): Supervisor[] {
    return this.supervisors.filter(({ state }) => state === 'idle');
  }

  private runStopPhase(hook: StopHook, signal: AbortSignal): Promise<unknown[]> {
    const services = this.supervisors.filter(({ needsStop }) => needsStop).toReversed();
    return runPhase(services, hook, { signal, concurrently: this.options.servicesStopConcurrently });
  }

  private deadline(afterMs: number): Deadline {
    const passed = (): unknown => {
      const timeoutMs = this.options.shutdownTimeoutMs;
      // The hooks before may have used all of it up, and have had the event already.
      if (!this.isPastDeadline) this.events.emit('host.deadlinePassed', { timeoutMs });
      this.isPastDeadline = true;
      return new StoppingError('The time to stop is up: the application');
    };
    return new Deadline(this.clock, Math.max(0, afterMs), passed, [this.hurry.signal]);
  }

  private onStopping(): void {
    this.events.emit('host.stopping', { reason: this.lifetime.stopReason });
    for (const supervisor of this.supervisors) supervisor.quiesce();
  }
}
