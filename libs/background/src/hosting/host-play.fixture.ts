import { getEventListeners } from 'node:events';
import type { BackgroundEvent } from '../events/events.js';
import type { CodePlan, Act, HostPlan, ServicePlan } from './host-plan.fixture.js';
import { setupHost } from './host.fixture.js';
import type { HostedService, LifecycleHook } from './hosted-service.js';
import { LongRunningService } from './long-running-service.js';
import type { ServiceDefinition } from './service-record.js';

const hooks = ['starting', 'start', 'started', 'stopping', 'stop', 'stopped'] as const;

/** A call of a service's code: where it stands in the order of everything, and what became of it. */
export interface Call {
  readonly service: string;
  readonly of: LifecycleHook | 'execute';
  readonly began: number;
  readonly signal: AbortSignal;
  readonly signalWasAborted: boolean;
  /** Whether the host had been asked to stop when it threw. */
  toldToStop: boolean;
  ended: number | undefined;
  thrown: unknown;
}

/** Something asked of the host, and what came of it. */
export interface Request {
  readonly what: string;
  readonly began: number;
  readonly beganAt: number;
  /** When the caller gave up waiting. */
  abortedAt: number | undefined;
  aborted: number | undefined;
  ended: number | undefined;
  endedAt: number | undefined;
  rejected: boolean;
  error: unknown;
}

/** So many turns without anything new: then nothing more comes without the clock. */
const quietTurns = 12;
const restartDelayMs = 700;

/** Plays a plan on a host with a manual clock, from its start to its stop, and keeps a record of everything. */
export class HostPlay {
  readonly log: string[] = [];
  readonly calls: Call[] = [];
  readonly requests: Request[] = [];
  readonly events: { readonly at: number; readonly event: BackgroundEvent }[] = [];
  readonly bundle;
  private readonly held: (() => void)[] = [];
  private readonly callers: AbortController[] = [];
  private added = 0;

  constructor(readonly plan: HostPlan) {
    const { servicesStartConcurrently, servicesStopConcurrently, startupTimeout, shutdownTimeout } = plan;
    const options = { servicesStartConcurrently, servicesStopConcurrently, startupTimeout, shutdownTimeout };
    this.bundle = setupHost(options, (service, named) =>
      this.define((named as { name: string }).name, service as ServicePlan),
    );
    this.bundle.events.stream.subscribe((event) => {
      this.events.push({ at: this.note(`event ${describeEvent(event)}`), event });
    });
  }

  async run(): Promise<void> {
    const { host, clock } = this.bundle;
    for (const [index, service] of this.plan.services.entries()) host.add(this.define(`s${index}`, service));
    this.request('start', () => host.start());
    for (const { afterMs, act } of this.plan.script) {
      await this.drive(clock.monotonic() + afterMs);
      void this.do(act);
    }
    await this.drive(clock.monotonic() + 10_000);
    void this.do({ what: 'stopImpatiently', abortAfterMs: 20_000 });
    await this.drive(clock.monotonic() + 20_000);
    this.note('all that hangs is let go');
    while (this.held.length > 0 || clock.nextTimerAt !== undefined) {
      for (const letGo of this.held.splice(0)) letGo();
      await this.drive(clock.nextTimerAt ?? clock.monotonic());
    }
  }

  /** Listeners that are still on the signals of the callers, and on those of the lifetime. */
  listenersLeft(): number {
    const { started, stopping, stopped } = this.bundle.lifetime;
    const signals = [...this.callers.map(({ signal }) => signal), started, stopping, stopped];
    return signals.reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0);
  }

  private note(text: string): number {
    return this.log.push(`${this.bundle.clock.monotonic()} ${text}`);
  }

  private async drive(untilMs: number): Promise<void> {
    const { clock } = this.bundle;
    await this.quiet();
    while ((clock.nextTimerAt ?? Number.POSITIVE_INFINITY) <= untilMs) {
      await clock.runNext();
      await this.quiet();
    }
    await clock.advance(untilMs - clock.monotonic());
    await this.quiet();
  }

  private async quiet(): Promise<void> {
    for (let turns = 0, length = this.log.length; turns < quietTurns; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.log.length > length) [turns, length] = [0, this.log.length];
    }
  }

  private define(name: string, plan: ServicePlan): ServiceDefinition {
    // A function for each hook there is, which an object made of entries does not show.
    const own = Object.fromEntries(
      hooks.map((hook) => [hook, (signal: AbortSignal) => this.call(name, hook, plan.hooks[hook], signal)]),
    ) as unknown as HostedService;
    const common = { name, exceptionBehavior: plan.exceptionBehavior, enabled: plan.enabled };
    if (plan.executes.length === 0) return { ...common, runner: { ...own, kind: 'hosted' } };
    const executed = { count: 0 };
    const execute = (signal: AbortSignal): Promise<void> => {
      const last = plan.executes.length - 1;
      return this.call(name, 'execute', plan.executes[Math.min(executed.count++, last)], signal);
    };
    const { maxRestarts } = plan;
    const backoff = { delayMs: () => restartDelayMs };
    const restart = maxRestarts === undefined ? undefined : { maxRestarts, withinMs: 60_000, backoff };
    const runner = new LongRunningService(
      { ...own, execute },
      { name, clock: this.bundle.clock, ...(restart && { restart }) },
    );
    return { ...common, runner };
  }

  private call(
    service: string,
    of: Call['of'],
    plan: CodePlan | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const what = `${service}.${of}`;
    const call: Call = {
      service,
      of,
      began: this.note(`${what} begins${signal.aborted ? ', aborted' : ''}`),
      signal,
      signalWasAborted: signal.aborted,
      toldToStop: false,
      ended: undefined,
      thrown: undefined,
    };
    this.calls.push(call);
    const end = (thrown: unknown): void => {
      call.thrown = thrown;
      call.toldToStop = signal.aborted || this.bundle.lifetime.stopping.aborted;
      call.ended = this.note(`${what} ${thrown === undefined ? 'returns' : `throws ${String(thrown)}`}`);
    };
    if (plan?.end === 'throwsAtOnce') {
      const error = new Error(`${what} at once, ${call.began}`);
      end(error);
      throw error;
    }
    const work = this.perform(plan, signal, `${what}, ${call.began}`);
    return work.then(
      () => end(undefined),
      (error: unknown) => {
        end(error);
        throw error;
      },
    );
  }

  private async perform(plan: CodePlan | undefined, signal: AbortSignal, message: string): Promise<void> {
    if (plan === undefined) return;
    const { delayMs, act, awaits, end } = plan;
    if (delayMs > 0) await new Promise<void>((resolve) => this.bundle.clock.schedule(delayMs, resolve));
    const done = act && this.do(act);
    if (awaits) await done;
    if (end === 'throws') throw new Error(message);
    if (end === 'hangs' || end === 'hangsThenThrows') await new Promise<void>((go) => this.held.push(go));
    if (end === 'hangsThenThrows') throw new Error(`${message}, late`);
    if (end === 'heeds' || end === 'heedsQuietly') await this.abortOf(signal);
    if (end === 'heeds') signal.throwIfAborted();
  }

  /** Ends when the signal is aborted, or when all that hangs is let go. */
  private abortOf(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const end = (): void => {
        signal.removeEventListener('abort', end);
        resolve();
      };
      signal.addEventListener('abort', end);
      this.held.push(end);
    });
  }

  private do(act: Act): Promise<unknown> {
    const { host, lifetime, clock } = this.bundle;
    switch (act.what) {
      case 'stopApplication':
        this.note('stopApplication');
        return Promise.resolve(lifetime.stopApplication());
      case 'signalStopping':
        return this.request(act.what, () => host.signalStopping());
      case 'stop':
        return this.request(act.what, () => host.stop());
      case 'stopImpatiently': {
        const caller = new AbortController();
        this.callers.push(caller);
        const ended = this.request('stop', () => host.stop(caller.signal));
        const request = this.requests.at(-1)!;
        clock.schedule(act.abortAfterMs, () => {
          request.abortedAt = clock.monotonic();
          request.aborted = this.note('a caller of stop gives up waiting');
          caller.abort();
        });
        return ended;
      }
      case 'add': {
        const name = `added${this.added++}`;
        return this.request(`add ${name}`, () => host.addService(act.service, { name }));
      }
      default: {
        const service = host.services[act.pick % host.services.length]!;
        const how = act.what === 'stopService' ? 'stop' : 'start';
        void this.request(`${service.name}.${how}`, () => service[how]());
        // Nobody waits for it: a hook that waits for the start or stop of its own service waits for itself.
        return Promise.resolve();
      }
    }
  }

  private request(what: string, run: () => Promise<unknown>): Promise<void> {
    const { clock } = this.bundle;
    const request: Request = {
      what,
      began: this.note(`${what} is asked for`),
      beganAt: clock.monotonic(),
      abortedAt: undefined,
      aborted: undefined,
      ended: undefined,
      endedAt: undefined,
      rejected: false,
      error: undefined,
    };
    this.requests.push(request);
    const end = (error: unknown, rejected: boolean): void => {
      const result = rejected ? `rejects: ${describeErrors(error)}` : 'is done';
      Object.assign(request, { error, rejected, ended: this.note(`${what} ${result}`) });
      request.endedAt = clock.monotonic();
    };
    return run().then(
      () => end(undefined, false),
      (error: unknown) => end(error, true),
    );
  }
}

/** The single errors of which one is made up. */
export function partsOf(error: unknown): readonly unknown[] {
  return error instanceof AggregateError ? error.errors.flatMap(partsOf) : [error];
}

function describeErrors(error: unknown): string {
  return partsOf(error).map(String).join('; ');
}

function describeEvent({ type, ...details }: BackgroundEvent): string {
  return `${type} ${JSON.stringify(details, errorsAsText)}`;
}

function errorsAsText(_: string, value: unknown): unknown {
  return value instanceof Error ? String(value) : value;
}
