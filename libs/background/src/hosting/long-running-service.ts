import { AsyncResource } from 'node:async_hooks';
import type { Clock } from 'nestjs-nightshift/channels';
import { combineErrors, isCancellation, StoppingError } from '../errors.js';
import { runInside } from '../scopes/background-context.js';
import type { WorkWrapper } from '../scopes/context.js';
import type { BackgroundService } from './background-service.js';
import { Deadline, endedBy } from './deadline.js';
import type { HostedService } from './hosted-service.js';
import { RestartPolicy, type ResolvedRestartOptions } from './restart-policy.js';
import type { ServiceMonitor, ServiceRunner } from './service-runner.js';

export interface LongRunningServiceOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly restart?: ResolvedRestartOptions | undefined;
  readonly wrap?: WorkWrapper | undefined;
}

/**
 * Runs one `execute()` from start to stop, and again after a fault if there is a restart policy.
 *
 * @see .NET `BackgroundService`
 */
export class LongRunningService implements ServiceRunner {
  readonly kind = 'longRunning';
  private readonly hooks: Partial<HostedService>;
  private monitor: ServiceMonitor | undefined;
  private stopController = new AbortController();
  /** Aborted when `execute()` is not to be called any more. */
  private quietController = new AbortController();
  private run: Promise<void> | undefined;
  /** The async context that the service was made in, for `execute()` to run in whoever starts it. */
  private readonly home = new AsyncResource('nightshift service');

  constructor(
    private readonly service: BackgroundService,
    private readonly options: LongRunningServiceOptions,
  ) {
    this.hooks = service as Partial<HostedService>;
  }

  attach(monitor: ServiceMonitor): void {
    this.monitor = monitor;
  }

  async starting(signal: AbortSignal): Promise<void> {
    await this.hooks.starting?.(signal);
  }

  start(): void {
    this.stopController = new AbortController();
    this.quietController = new AbortController();
  }

  async started(signal: AbortSignal): Promise<void> {
    await this.hooks.started?.(signal);
  }

  begin(): void {
    const { signal: token } = this.stopController;
    const { signal: quiet } = this.quietController;
    this.run = this.home.runInAsyncScope(() => this.runUntilEnd(token, quiet));
  }

  /** A fault from here on is final. */
  quiesce(): void {
    this.quietController.abort();
  }

  async stopping(signal: AbortSignal): Promise<void> {
    await this.hooks.stopping?.(signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.quiesce();
    this.stopController.abort(new StoppingError(`Service '${this.options.name}'`));
    if (this.run !== undefined) await endedBy(this.run, signal);
  }

  async stopped(signal: AbortSignal): Promise<void> {
    await this.hooks.stopped?.(signal);
  }

  inFlight(): readonly string[] {
    return this.run === undefined ? [] : ['execute()'];
  }

  /** Never rejects: every end is reported to the monitor. */
  private async runUntilEnd(token: AbortSignal, quiet: AbortSignal): Promise<void> {
    const policy = this.options.restart && new RestartPolicy(this.options.restart);
    await Promise.resolve(); // no user code before begin() has returned
    for (;;) {
      try {
        await this.execute(token);
        return this.end((monitor) => monitor.completed());
      } catch (error) {
        // Told by its own token, or by `lifetime.stopping`: whichever it is, it was to be quiet before.
        if (isCancellation(error, quiet)) return this.end((monitor) => monitor.completed());
        const next = quiet.aborted ? undefined : this.nextRestart(policy, error);
        if (next?.delayMs === undefined) return this.end((monitor) => monitor.faulted(next?.error ?? error));
        this.monitor?.restarting(error, next.delayMs);
        await this.sleep(next.delayMs, quiet);
        if (quiet.aborted) return this.end(() => {}); // still 'restarting'; the stop that is coming sees it through
        this.monitor?.restarted();
      }
    }
  }

  /** By the time the monitor hears of the end, {@link inFlight} says so too. */
  private end(report: (monitor: ServiceMonitor) => void): void {
    this.run = undefined;
    if (this.monitor !== undefined) report(this.monitor);
  }

  /** A backoff of the user's own that fails is a fault as well. */
  private nextRestart(
    policy: RestartPolicy | undefined,
    error: unknown,
  ): { readonly delayMs?: number | undefined; readonly error?: unknown } {
    try {
      return { delayMs: policy?.next(this.options.clock.monotonic()) };
    } catch (backoffError) {
      return {
        error: combineErrors([error, backoffError], `Service '${this.options.name}' cannot be restarted.`),
      };
    }
  }

  private execute(token: AbortSignal): Promise<void> {
    const run = async (): Promise<void> => await this.service.execute(token);
    return runInside(undefined, () => (this.options.wrap ? this.options.wrap(undefined, run) : run()));
  }

  private async sleep(delayMs: number, until: AbortSignal): Promise<void> {
    using deadline = new Deadline(this.options.clock, delayMs, () => undefined, [until]);
    await new Promise<void>((resolve) => {
      if (deadline.signal.aborted) resolve();
      else deadline.signal.addEventListener('abort', () => resolve());
    });
  }
}
