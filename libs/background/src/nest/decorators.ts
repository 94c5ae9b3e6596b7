import { Inject } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import type { Duration } from 'nestjs-nightshift/channels';
import type { BackgroundService as BackgroundServiceContract } from '../hosting/background-service.js';
import type { HostedService as HostedServiceContract } from '../hosting/hosted-service.js';
import { OptionsReader } from '../options-reader.js';
import {
  resolveServiceOptions,
  type BackgroundServiceOptions,
} from '../scheduling/background-service.options.js';
import type { TickContext } from '../scopes/context.js';
import { TaskQueue } from '../tasks/task-queue.js';
import { queueDefaults } from '../tasks/queue.options.js';
import { adoptMethods } from './adopted-methods.js';
import { backgroundServiceMetadata, hostedServiceMetadata, type HostedServiceOptions } from './metadata.js';

export interface BackgroundService extends BackgroundServiceContract {}

/** Options of a service whose `execute()` ticks. */
type TickedOptions = BackgroundServiceOptions & ({ every: Duration } | { cron: string });

/** A class, abstract or with a private constructor too, whose instances are like this. */
type ClassOf<T> = { readonly prototype: T } & Function;

/** What the host calls. What comes back is awaited and otherwise ignored, so it may be anything. */
interface Executable {
  execute(stoppingToken: AbortSignal, tick?: TickContext): unknown;
}

/** Has `execute()`, or else methods of `@nestjs/schedule`, which no type can tell from others. */
interface MaybeExecutable extends Partial<Executable> {
  // Every object has it. Without it, a class that shares nothing with this type would be refused.
  constructor: Function;
}

/** What the host calls. What comes back is awaited and otherwise ignored, so it may be anything. */
interface Startable {
  start(signal: AbortSignal): unknown;
  stop(signal: AbortSignal): unknown;
}

/**
 * Makes a provider a background service: long-running without `every` and `cron`, otherwise ticking. The host finds it
 * wherever it is provided, and runs it once even if it is provided twice.
 *
 * `@Cron()`, `@Interval()` and `@Timeout()` methods of the class become ticks of the host, with all that this brings: a
 * fresh scope, no overlap, errors that do no harm, and being waited for at stop. Such a class need not have `execute()`.
 * The tick options given here apply to them too.
 *
 * @throws InvalidOptionsError while the class is being defined
 */
export function BackgroundService(options: TickedOptions): (target: ClassOf<Executable>) => void;
export function BackgroundService(
  options?: BackgroundServiceOptions,
): (target: ClassOf<MaybeExecutable>) => void;
export function BackgroundService(options: BackgroundServiceOptions = {}): (target: ClassOf<object>) => void {
  return (target) => {
    const adopted = adoptMethods(target);
    resolveServiceOptions(
      options,
      `@BackgroundService() ${target.name}`,
      target.name,
      adopted.map(({ trigger }) => trigger),
    );
    Reflect.defineMetadata(backgroundServiceMetadata, options, target);
  };
}

export interface HostedService extends HostedServiceContract {}

/**
 * Makes a provider with `start()` and `stop()` a hosted service, started and stopped in order with all others.
 *
 * @throws InvalidOptionsError while the class is being defined
 */
export function HostedService(options: HostedServiceOptions = {}): (target: ClassOf<Startable>) => void {
  return (target) => {
    const check = new OptionsReader(`@HostedService() ${target.name}`, options, ['name', 'enabled']);
    check.name('name', target.name);
    check.boolean('enabled', true);
    check.finish();
    Reflect.defineMetadata(hostedServiceMetadata, options, target);
  };
}

/** The token under which a queue is provided. */
export function getTaskQueueToken(name: string = queueDefaults.name): typeof TaskQueue | string {
  return name === queueDefaults.name ? TaskQueue : `TaskQueue(${name})`;
}

/** Injects the queue that `BackgroundModule.registerQueue({ name })` registered; without a name, the default queue. */
export function InjectTaskQueue(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getTaskQueueToken(name));
}

/**
 * Injects the context of the tick or task that a scope was opened for: a `TickContext` or a `TaskContext`. It is what
 * `REQUEST` holds there, so in a scope of a web request it is the request; and whatever injects it is request-scoped.
 */
export function InjectBackgroundContext(): ParameterDecorator & PropertyDecorator {
  return Inject(REQUEST);
}
