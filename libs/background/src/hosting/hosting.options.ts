import { systemClock, type Clock, type Duration } from 'nestjs-nightshift/channels';
import type { OptionsReader } from '../options-reader.js';
import type { WorkWrapper } from '../scopes/context.js';
import type { ServiceKind } from '../events/events.js';

/** What a fault of a long-running service does: stop the application, or leave that service faulted. */
export type ExceptionBehavior = 'stopHost' | 'ignore';

/** @see .NET `HostOptions` */
export interface HostingOptions {
  /**
   * Start services together instead of one after the other. Within each phase only; a phase still waits for the one before.
   * @default false
   */
  servicesStartConcurrently?: boolean | undefined;
  /**
   * Stop services together instead of one after the other. All share {@link shutdownTimeout} either way.
   * @default false
   */
  servicesStopConcurrently?: boolean | undefined;
  /**
   * After this long the signal given to the start hooks is aborted. A hook that ignores it is still waited for.
   * @default 'infinite'
   */
  startupTimeout?: Duration | 'infinite' | undefined;
  /**
   * The one budget for stopping all services and draining all queues. At its end what still runs is aborted, named in
   * an event and a log line, and left behind.
   * @default '30s'
   */
  shutdownTimeout?: Duration | 'infinite' | undefined;
  /**
   * What a fault of a long-running service does when it is not, or no longer, restarted. Each service may say otherwise.
   * @default 'stopHost'
   */
  exceptionBehavior?: ExceptionBehavior | undefined;
  /**
   * When services are stopped and queues drained: once HTTP is closed, or before any other module is torn down (for
   * applications that close their database in `onModuleDestroy`; HTTP is still open then, so requests that enqueue are
   * refused with `QueueClosedError` while the queues drain).
   * @default 'onApplicationShutdown'
   */
  drainOn?: 'onApplicationShutdown' | 'onModuleDestroy' | undefined;
  /**
   * Which services run in this process. Enqueueing works either way, so that one image can be deployed as web and as worker.
   * @default true
   */
  enabled?:
    boolean | ((service: { readonly name: string; readonly kind: ServiceKind }) => boolean) | undefined;
  /**
   * Keep the process alive from start to stop even when nothing else does (no server, no timer): for worker-only processes.
   * @default false
   */
  keepAlive?: boolean | undefined;
  /**
   * The source of time for everything.
   * @default systemClock
   */
  clock?: Clock | undefined;
  /** Wraps every tick, task and long-running `execute()`. By default nothing does. */
  wrap?: WorkWrapper | undefined;
}

export interface ResolvedHostingOptions {
  readonly servicesStartConcurrently: boolean;
  readonly servicesStopConcurrently: boolean;
  readonly startupTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  readonly exceptionBehavior: ExceptionBehavior;
  readonly drainOn: 'onApplicationShutdown' | 'onModuleDestroy';
  readonly enabled: (service: { readonly name: string; readonly kind: ServiceKind }) => boolean;
  readonly keepAlive: boolean;
  readonly clock: Clock;
  readonly wrap: WorkWrapper | undefined;
}

export const hostingDefaults: ResolvedHostingOptions = Object.freeze({
  servicesStartConcurrently: false,
  servicesStopConcurrently: false,
  startupTimeoutMs: Number.POSITIVE_INFINITY,
  shutdownTimeoutMs: 30_000,
  exceptionBehavior: 'stopHost',
  drainOn: 'onApplicationShutdown',
  enabled: () => true,
  keepAlive: false,
  clock: systemClock,
  wrap: undefined,
});

export const hostingKeys = [
  'servicesStartConcurrently',
  'servicesStopConcurrently',
  'startupTimeout',
  'shutdownTimeout',
  'exceptionBehavior',
  'drainOn',
  'enabled',
  'keepAlive',
  'clock',
  'wrap',
] as const satisfies readonly (keyof HostingOptions)[];

export const exceptionBehaviors = ['stopHost', 'ignore'] as const satisfies readonly ExceptionBehavior[];

export function readHostingOptions(check: OptionsReader<HostingOptions>): ResolvedHostingOptions {
  const enabled = check.value<HostingOptions['enabled']>(
    'enabled',
    hostingDefaults.enabled,
    'true, false, or a function of the service',
    (value) => typeof value === 'boolean' || typeof value === 'function',
  );
  return Object.freeze({
    servicesStartConcurrently: check.boolean(
      'servicesStartConcurrently',
      hostingDefaults.servicesStartConcurrently,
    ),
    servicesStopConcurrently: check.boolean(
      'servicesStopConcurrently',
      hostingDefaults.servicesStopConcurrently,
    ),
    startupTimeoutMs: check.timeoutMs('startupTimeout', hostingDefaults.startupTimeoutMs),
    shutdownTimeoutMs: check.timeoutMs('shutdownTimeout', hostingDefaults.shutdownTimeoutMs),
    exceptionBehavior: check.oneOf(
      'exceptionBehavior',
      hostingDefaults.exceptionBehavior,
      exceptionBehaviors,
    ),
    drainOn: check.oneOf('drainOn', hostingDefaults.drainOn, ['onApplicationShutdown', 'onModuleDestroy']),
    enabled: typeof enabled === 'function' ? enabled : () => enabled !== false,
    keepAlive: check.boolean('keepAlive', hostingDefaults.keepAlive),
    clock: check.value('clock', hostingDefaults.clock, 'a Clock: { now, monotonic, schedule }', isClock),
    wrap: check.function<WorkWrapper>('wrap'),
  });
}

function isClock(value: unknown): boolean {
  const clock = value as Partial<Clock> | null;
  return [clock?.now, clock?.monotonic, clock?.schedule].every((method) => typeof method === 'function');
}
