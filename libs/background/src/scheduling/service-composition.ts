import { describeValue, type Clock } from 'nestjs-nightshift/channels';
import { NotAServiceError } from '../errors.js';
import type { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundService } from '../hosting/background-service.js';
import type { HostedService } from '../hosting/hosted-service.js';
import type { ExceptionBehavior } from '../hosting/hosting.options.js';
import { LongRunningService } from '../hosting/long-running-service.js';
import type { OccurrenceStorage } from '../hosting/occurrence-storage.js';
import type { ServiceRunner } from '../hosting/service-runner.js';
import type { ServiceDefinition } from '../hosting/service-record.js';
import type { WorkWrapper } from '../scopes/context.js';
import type { ServiceScopeFactory } from '../scopes/scope.js';
import {
  resolveServiceOptions,
  type BackgroundServiceOptions,
  type ResolvedServiceOptions,
  type ResolvedTickOptions,
} from './background-service.options.js';
import type { TickWork } from './tick-execution.js';
import { TickRunner } from './tick-runner.js';
import type { Trigger } from './trigger.js';

/** What every composed service is given. */
export interface ServiceDependencies {
  readonly clock: Clock;
  readonly events: BackgroundEvents;
  readonly scopes: ServiceScopeFactory;
  readonly wrap: WorkWrapper | undefined;
  readonly exceptionBehavior: ExceptionBehavior;
  /** Where the occurrences of services are kept; `undefined` when the engine cannot. */
  readonly occurrences?: OccurrenceStorage | undefined;
}

/** What a tick service is made of. */
export interface TickedSource {
  readonly name: string;
  readonly work: TickWork;
  readonly ticks: ResolvedTickOptions;
  readonly trigger: Trigger;
  readonly enabled: boolean;
  /** The one instance of the service, when there is one, for its lifecycle hooks. */
  readonly instance?: object | undefined;
  readonly token?: unknown;
}

export function composeTicked(source: TickedSource, dependencies: ServiceDependencies): ServiceDefinition {
  const { name, work, ticks, trigger, enabled, instance, token } = source;
  const options = { ...ticks, trigger };
  const runner = new TickRunner({
    ...dependencies,
    name,
    work,
    options,
    hooks: instance as Partial<HostedService> | undefined,
  });
  return { name, runner, exceptionBehavior: dependencies.exceptionBehavior, enabled, token };
}

export function composeLongRunning(
  service: BackgroundService,
  options: ResolvedServiceOptions,
  dependencies: ServiceDependencies,
  token?: unknown,
): ServiceDefinition {
  const { name, enabled, restart, exceptionBehavior = dependencies.exceptionBehavior } = options;
  const { clock, wrap } = dependencies;
  return {
    name,
    runner: new LongRunningService(service, { name, clock, wrap, restart }),
    exceptionBehavior,
    enabled,
    token,
  };
}

export function composeHosted(
  service: HostedService,
  options: { readonly name: string; readonly enabled: boolean },
  dependencies: ServiceDependencies,
  token?: unknown,
): ServiceDefinition {
  const runner: ServiceRunner = {
    kind: 'hosted',
    starting: (signal) => service.starting?.(signal),
    start: (signal) => service.start(signal),
    started: (signal) => service.started?.(signal),
    stopping: (signal) => service.stopping?.(signal),
    stop: (signal) => service.stop(signal),
    stopped: (signal) => service.stopped?.(signal),
  };
  const { name, enabled } = options;
  return { name, runner, exceptionBehavior: dependencies.exceptionBehavior, enabled, token };
}

/**
 * A service out of an object that is added at run time: one with `execute()`, or with `start()` and `stop()`.
 *
 * @throws NotAServiceError, InvalidOptionsError
 */
export function composeObject(
  service: unknown,
  options: BackgroundServiceOptions,
  dependencies: ServiceDependencies,
): ServiceDefinition {
  if (typeof service !== 'object' || service === null) {
    throw new NotAServiceError(
      describeValue(service),
      'an object with execute(), or with start() and stop(), is expected',
    );
  }
  const className = service.constructor === Object ? '' : (service.constructor?.name ?? '');
  const resolved = resolveServiceOptions(options, 'addService', className);
  if (resolved.name === '') {
    throw new NotAServiceError(
      'An object without a class',
      'give it a name, addService(service, { name: ... })',
    );
  }
  const token = className === '' ? undefined : service.constructor;
  if (isBackgroundService(service)) {
    const { trigger } = resolved.ticks;
    if (trigger === undefined) return composeLongRunning(service, resolved, dependencies, token);
    const work: TickWork = (signal, tick) => service.execute(signal, tick);
    return composeTicked({ ...resolved, work, trigger, instance: service, token }, dependencies);
  }
  if (isHostedService(service)) {
    if (resolved.ticks.trigger === undefined) return composeHosted(service, resolved, dependencies, token);
    throw new NotAServiceError(
      resolved.name,
      'a schedule needs execute(), and it has only start() and stop()',
    );
  }
  throw new NotAServiceError(resolved.name, 'it has neither execute(), nor start() and stop()');
}

export function isBackgroundService(value: object): value is BackgroundService {
  return typeof (value as Partial<BackgroundService>).execute === 'function';
}

export function isHostedService(value: object): value is HostedService {
  const { start, stop } = value as Partial<HostedService>;
  return typeof start === 'function' && typeof stop === 'function';
}
