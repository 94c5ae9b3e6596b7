import type { ModulesContainer } from '@nestjs/core';
import { CaptiveDependencyError, NotAServiceError } from '../errors.js';
import type { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundService } from '../hosting/background-service.js';
import type { HostedService } from '../hosting/hosted-service.js';
import type { ServiceDefinition } from '../hosting/supervisor.js';
import { alignedOf } from '../scheduling/aligned-trigger.js';
import {
  resolveServiceOptions,
  type ResolvedServiceOptions,
} from '../scheduling/background-service.options.js';
import {
  composeHosted,
  composeLongRunning,
  composeTicked,
  isBackgroundService,
  isHostedService,
  type ServiceDependencies,
} from '../scheduling/service-composition.js';
import type { TickWork } from '../scheduling/tick-execution.js';
import type { TickContext } from '../scopes/context.js';
import { adoptMethods } from './adopted-methods.js';
import { findDecorated, type ProviderClass } from './decorated-providers.js';
import { backgroundServiceOptionsOf, hostedServiceOptionsOf } from './metadata.js';
import type { NestScope } from './nest-scope.js';
import { isSingleton, pathToRequestScope, type Provider } from './provider-index.js';

/** Finds the decorated providers of an application and makes services of them. */
export class ServiceDiscovery {
  constructor(
    private readonly modules: ModulesContainer,
    private readonly dependencies: ServiceDependencies,
    private readonly events: BackgroundEvents,
  ) {}

  /**
   * In the order in which Nest initialises: modules that others import come first, within a module its `providers`.
   *
   * @throws CaptiveDependencyError, NotAServiceError
   */
  discover(): ServiceDefinition[] {
    const found = findDecorated(this.modules, this.events, isService, severalServices);
    return [...found].flatMap(([type, provider]) => this.compose(type, provider));
  }

  private compose(type: ProviderClass, provider: Provider): ServiceDefinition[] {
    const options = backgroundServiceOptionsOf(type);
    if (options === undefined) return [this.composeHosted(type, provider)];
    const adopted = adoptMethods(type);
    const resolved = resolveServiceOptions(
      options,
      `@BackgroundService() ${type.name}`,
      type.name,
      adopted.map(({ trigger }) => trigger),
    );
    const definitions = adopted.map(({ method, name, enabled, initialDelayMs, trigger }) =>
      composeTicked(
        {
          name: name ?? `${resolved.name}.${method}`,
          work: this.workOf(provider, method),
          ticks: { ...resolved.ticks, initialDelayMs: initialDelayMs ?? resolved.ticks.initialDelayMs },
          trigger: resolved.ticks.exclusive ? alignedOf(trigger)! : trigger, // the options refuse those that have none
          enabled: resolved.enabled && enabled,
        },
        this.dependencies,
      ),
    );
    if (hasExecute(type, provider, adopted.length > 0))
      return [this.composeExecute(type, provider, resolved), ...definitions];
    if (definitions.length > 0 && resolved.ticks.trigger === undefined) return definitions;
    throw new NotAServiceError(
      type.name,
      'a @BackgroundService() needs an execute() method, or methods with @Cron() or @Interval()',
    );
  }

  private composeExecute(
    type: ProviderClass,
    provider: Provider,
    resolved: ResolvedServiceOptions,
  ): ServiceDefinition {
    const { trigger } = resolved.ticks;
    if (trigger !== undefined) {
      const work = this.workOf(provider, 'execute');
      const instance = isSingleton(provider) ? provider.instance : undefined;
      return composeTicked({ ...resolved, work, trigger, instance, token: type }, this.dependencies);
    }
    this.refuseCaptive(type, provider);
    return composeLongRunning(provider.instance as BackgroundService, resolved, this.dependencies, type);
  }

  private composeHosted(type: ProviderClass, provider: Provider): ServiceDefinition {
    this.refuseCaptive(type, provider);
    const service = provider.instance as HostedService;
    if (!isHostedService(service))
      throw new NotAServiceError(type.name, 'a @HostedService() needs the methods start() and stop()');
    const { name = type.name, enabled = true } = hostedServiceOptionsOf(type)!;
    return composeHosted(service, { name, enabled }, this.dependencies, type);
  }

  /** Calls a method on the one instance, or on the instance of the tick's own scope. */
  private workOf(provider: Provider, method: string): TickWork {
    const call = (instance: object, signal: AbortSignal, tick: TickContext): unknown =>
      (instance as Record<string, (signal: AbortSignal, tick: TickContext) => unknown>)[method]!(
        signal,
        tick,
      );
    if (isSingleton(provider)) return (signal, tick) => call(provider.instance, signal, tick);
    return async (signal, tick) =>
      call(await (tick.scope as NestScope).resolveProvider(provider), signal, tick);
  }

  private refuseCaptive(type: ProviderClass, provider: Provider): void {
    if (isSingleton(provider)) return;
    const path = pathToRequestScope(provider);
    if (path !== undefined) throw new CaptiveDependencyError(type.name, path);
    throw new NotAServiceError(
      type.name,
      'its scope is TRANSIENT, so there is no one instance of it. Leave the scope out, or give it `every` or `cron`',
    );
  }
}

const severalServices =
  ' Services of one class that are meant to be several are added with `host.addService(instance, { name })`.';

function isService(type: ProviderClass): boolean {
  return backgroundServiceOptionsOf(type) !== undefined || hostedServiceOptionsOf(type) !== undefined;
}

/** A method, or a field that holds a function; the fields of a scoped class show only when it is instantiated. */
function hasExecute(type: ProviderClass, provider: Provider, hasOtherMethods: boolean): boolean {
  if (isBackgroundService(type.prototype as object)) return true;
  return isSingleton(provider) ? isBackgroundService(provider.instance) : !hasOtherMethods;
}
