import type { Clock } from 'nestjs-nightshift/channels';
import { isCancellation, StoppingError } from '../errors.js';
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
  private run: Promise<void> | undefined;

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
  }

  async started(signal: AbortSignal): Promise<void> {
    await this.hooks.started?.(signal);
  }

  begin(): void {
    const run = this.runUntilEnd(this.stopController.signal).finally(() => {
      if (this.run === run) this.run = undefined;
    });
    this.run = run;
  }

  async stopping(signal: AbortSignal): Promise<void> {
    await this.hooks.stopping?.(signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
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
  private async runUntilEnd(token: AbortSignal): Promise<void> {
    const policy = this.options.restart && new RestartPolicy(this.options.restart);
    await Promise.resolve(); // no user code before begin() has returned
    for (;;) {
      try {
        await this.execute(token);
        return this.monitor?.completed();
      } catch (error) {
        if (isCancellation(error, token)) return this.monitor?.completed();
        const delayMs = token.aborted ? undefined : policy?.next(this.options.clock.monotonic());
        if (delayMs === undefined) return this.monitor?.faulted(error);
        this.monitor?.restarting(error, delayMs);
        await this.sleep(delayMs, token);
        if (token.aborted) return this.monitor?.completed();
        this.monitor?.restarted();
      }
    }
  }

  private execute(token: AbortSignal): Promise<void> {
    const run = async (): Promise<void> => await this.service.execute(token);
    return runInside(undefined, () => (this.options.wrap ? this.options.wrap(undefined, run) : run()));
  }

  private async sleep(delayMs: number, token: AbortSignal): Promise<void> {
    using deadline = new Deadline(this.options.clock, delayMs, () => undefined, [token]);
    await new Promise<void>((resolve) => {
      if (deadline.signal.aborted) resolve();
      else deadline.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
