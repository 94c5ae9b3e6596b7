import type { Clock } from 'nestjs-nightshift/channels';
import {
  combineErrors,
  DuplicateNameError,
  IllegalStateError,
  StartupTimeoutError,
  StoppingError,
  UnknownNameError,
} from '../errors.js';
import type { BackgroundEvents } from '../events/background-events.js';
import { Deadline, endedBy } from './deadline.js';
import type { LifecycleHook } from './hosted-service.js';
import type { ExceptionBehavior, ResolvedHostingOptions } from './hosting.options.js';
import type { ApplicationLifetime } from './lifetime.js';
import type { ServiceHandle } from './service-handle.js';
import { Supervisor, type ServiceDefinition, type SupervisorHost } from './supervisor.js';

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
  private readonly supervisors: Supervisor[] = [];
  private readonly faultErrors: unknown[] = [];
  private startRun: Promise<void> | undefined;
  private stoppingRun: Promise<readonly unknown[]> | undefined;
  private stopRun: Promise<void> | undefined;
  private stoppingHooksMs = 0;
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

  /**
   * The service of this name, or of this class.
   *
   * @throws UnknownNameError when there is none; it names the nearest one
   */
  service(nameOrClass: string | (abstract new (...args: never[]) => unknown)): ServiceHandle {
    const found = this.supervisors.find(
      ({ definition }) => definition.name === nameOrClass || definition.token === nameOrClass,
    );
    if (found !== undefined) return found;
    const name = typeof nameOrClass === 'string' ? nameOrClass : nameOrClass.name;
    throw new UnknownNameError(
      'service',
      name,
      this.supervisors.map((supervisor) => supervisor.name),
    );
  }

  /**
   * Adds a service at run time. It starts at once when the host has started, otherwise with the others; it stops with
   * the others, before all that were there before it.
   *
   * @param service an object with `execute()`, or with `start()` and `stop()`
   * @param options those of `@BackgroundService()`; `name` is required when the object has no class of its own
   */
  async addService(service: object, options: object = {}): Promise<ServiceHandle> {
    if (this.lifetime.stopping.aborted)
      throw new IllegalStateError('the host', 'stopping', 'Adding a service');
    const supervisor = this.add(this.dependencies.compose(service, options));
    await this.startRun; // added during the start, it follows when that is done
    if (this.isOpen && supervisor.state === 'idle') await supervisor.start();
    return supervisor;
  }

  /** @internal Adds a service before the start. */
  add(definition: ServiceDefinition): Supervisor {
    if (this.supervisors.some(({ name }) => name === definition.name)) {
      throw new DuplicateNameError('service', definition.name);
    }
    const enabled =
      definition.enabled && this.options.enabled({ name: definition.name, kind: definition.runner.kind });
    const supervisor = new Supervisor({ ...definition, enabled }, this);
    this.supervisors.push(supervisor);
    return supervisor;
  }

  /**
   * Starts every service, in order, phase by phase. Resolves when all have started, or when stopping was asked for
   * meanwhile: then nothing more is started, and `lifetime.started` is not signalled.
   *
   * Rejects with what a service threw (several: an `AggregateError`), after stopping, in reverse, what had started.
   */
  start(): Promise<void> {
    return (this.startRun ??= this.startAll());
  }

  /**
   * Runs the `stopping` hooks and signals `lifetime.stopping`. {@link stop} does so first; the module does it earlier,
   * when the application begins to close. Never rejects: the errors come out of {@link stop}.
   */
  async signalStopping(): Promise<void> {
    await (this.stoppingRun ??= this.runStoppingHooks());
  }

  /**
   * Stops every service in reverse order, within `shutdownTimeout`. Every call gives the same promise. Rejects, when all
   * is done, with what went wrong in stop hooks and with the faults that stopped the host: one as itself, several as an
   * `AggregateError`.
   */
  stop(signal?: AbortSignal): Promise<void> {
    return (this.stopRun ??= this.stopAll(signal));
  }

  /** @internal */
  onFault(service: string, error: unknown, consequence: ExceptionBehavior): void {
    if (consequence === 'ignore') return;
    this.faultErrors.push(error);
    this.lifetime.stopApplication(new Error(`Service '${service}' faulted.`, { cause: error }));
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
    const services = this.supervisors.filter(({ state }) => state === 'idle');
    events.emit('host.starting', { services: services.length });
    if (options.keepAlive) this.keepAliveHandle = setInterval(() => {}, 2 ** 30);
    const timedOut = (): unknown => new StartupTimeoutError(options.startupTimeoutMs);
    using deadline = new Deadline(clock, options.startupTimeoutMs, timedOut, [lifetime.stopping]);

    for (const hook of ['starting', 'start', 'started'] as const) {
      const errors = await this.runPhase(
        services,
        hook,
        deadline.signal,
        options.servicesStartConcurrently,
        true,
      );
      if (lifetime.stopping.aborted) return giveUpStart(services);
      if (errors.length > 0) throw await this.failStart(services, errors, deadline.expired);
    }
    lifetime.notifyStarted();
    events.emit('host.started', {
      services: services.map(({ name }) => name),
      durationMs: clock.monotonic() - begunAt,
    });
    for (const supervisor of services) if (supervisor.state === 'running') supervisor.begin();
  }

  private async failStart(
    services: readonly Supervisor[],
    errors: readonly unknown[],
    timedOut: boolean,
  ): Promise<unknown> {
    giveUpStart(services);
    const combined = combineErrors(errors, `${errors.length} services failed to start.`);
    const error = timedOut
      ? new StartupTimeoutError(this.options.startupTimeoutMs, { cause: combined })
      : combined;
    this.events.emit('host.startFailed', { error });
    using deadline = this.deadline(this.options.shutdownTimeoutMs);
    await this.stopServices(deadline.signal); // what goes wrong here is an event; the caller is told why the start failed
    return error;
  }

  private async runStoppingHooks(): Promise<readonly unknown[]> {
    const begunAt = this.clock.monotonic();
    using deadline = this.deadline(this.options.shutdownTimeoutMs);
    const errors = await this.runPhase(
      this.startedInReverse(),
      'stopping',
      deadline.signal,
      this.options.servicesStopConcurrently,
    );
    this.stoppingHooksMs = this.clock.monotonic() - begunAt;
    this.lifetime.stopApplication();
    return errors;
  }

  private async stopAll(signal: AbortSignal | undefined): Promise<void> {
    const begunAt = this.clock.monotonic();
    using deadline = this.deadline(this.options.shutdownTimeoutMs - this.stoppingHooksMs, signal);
    const errors: unknown[] = [];
    await this.endOfStart(deadline.signal);
    errors.push(...(await (this.stoppingRun ??= this.runStoppingHooks())));
    errors.push(...(await this.stopServices(deadline.signal)));
    this.events.emit('host.stopped', { durationMs: this.clock.monotonic() - begunAt, errors });
    this.lifetime.notifyStopped();
    const all = [...this.faultErrors, ...errors];
    if (all.length > 0) throw combineErrors(all, 'The host stopped with several errors.');
  }

  private async stopServices(signal: AbortSignal): Promise<readonly unknown[]> {
    const services = this.startedInReverse();
    const concurrently = this.options.servicesStopConcurrently;
    const errors = await this.runPhase(services, 'stop', signal, concurrently);
    errors.push(...(await this.runPhase(services, 'stopped', signal, concurrently)));
    clearInterval(this.keepAliveHandle);
    return errors;
  }

  /** A stop that comes during the start gives the start up first. */
  private async endOfStart(signal: AbortSignal): Promise<void> {
    if (this.startRun === undefined || this.lifetime.started.aborted) return;
    this.lifetime.stopApplication();
    await endedBy(
      this.startRun.catch(() => {}),
      signal,
    );
  }

  private startedInReverse(): Supervisor[] {
    return this.supervisors.filter((supervisor) => supervisor.isStarted).reverse();
  }

  private deadline(afterMs: number, signal?: AbortSignal): Deadline {
    const passed = (): unknown => {
      this.events.emit('host.deadlinePassed', { timeoutMs: this.options.shutdownTimeoutMs });
      return new StoppingError('The time to stop is up: the application');
    };
    return new Deadline(this.clock, Math.max(0, afterMs), passed, [signal]);
  }

  private onStopping(): void {
    this.events.emit('host.stopping', { reason: this.lifetime.stopReason });
    for (const supervisor of this.supervisors) supervisor.quiesce();
  }

  /**
   * Calls one hook on each service and collects what they throw. Sequentially, with `untilFirst`, the first error ends
   * the phase, as does a request to stop; concurrently every hook is called, each up to its first wait, in order.
   */
  private async runPhase(
    services: readonly Supervisor[],
    hook: LifecycleHook,
    signal: AbortSignal,
    concurrently: boolean,
    untilFirst = false,
  ): Promise<unknown[]> {
    const errors: unknown[] = [];
    const collect = (error: unknown): void => void errors.push(error);
    if (concurrently) {
      await Promise.all(services.map((supervisor) => supervisor.call(hook, signal).catch(collect)));
      return errors;
    }
    for (const supervisor of services) {
      if (untilFirst && (errors.length > 0 || this.lifetime.stopping.aborted)) break;
      await supervisor.call(hook, signal).catch(collect);
    }
    return errors;
  }
}

function giveUpStart(services: readonly Supervisor[]): void {
  for (const supervisor of services) supervisor.giveUpStart();
}
