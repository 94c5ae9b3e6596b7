import { PeriodicTrigger } from '../scheduling/periodic-trigger.js';
import { CronTrigger, DateTrigger } from '../scheduling/cron-trigger.js';
import { OnceTrigger, type Trigger } from '../scheduling/trigger.js';
import { ArgumentOutOfRangeError, InvalidOptionsError } from 'nestjs-nightshift/channels';
import { adoptedMethodMetadata } from './metadata.js';

/** The keys under which `@nestjs/schedule` keeps what its decorators were given. */
const scheduleKeys = {
  type: 'SCHEDULER_TYPE',
  name: 'SCHEDULER_NAME',
  cron: 'SCHEDULE_CRON_OPTIONS',
  interval: 'SCHEDULE_INTERVAL_OPTIONS',
  timeout: 'SCHEDULE_TIMEOUT_OPTIONS',
} as const;

interface CronDecoratorOptions {
  readonly cronTime: string | Date | { toMillis(): number };
  readonly timeZone?: unknown;
  readonly utcOffset?: unknown;
  readonly disabled?: boolean;
  readonly initialDelay?: number;
}

/** One method of `@Cron()`, `@Interval()` or `@Timeout()` that the host has taken over. */
export interface AdoptedMethod {
  readonly method: string;
  /** The name that the decorator was given. */
  readonly name: string | undefined;
  readonly enabled: boolean;
  readonly initialDelayMs: number | undefined;
  readonly trigger: Trigger;
}

/**
 * Takes the methods that `@nestjs/schedule` decorators marked on a class, its bases included, away from ScheduleModule:
 * it would run them a second time, or, in a class with scoped dependencies, not at all.
 *
 * @throws InvalidOptionsError when a decorator was given something that is no schedule
 */
export function adoptMethods(target: {
  readonly prototype: object;
  readonly name: string;
}): readonly AdoptedMethod[] {
  const adopted = new Map<string, AdoptedMethod>();
  for (
    let prototype = target.prototype;
    prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype) as object
  ) {
    for (const [method, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (typeof value !== 'function' || adopted.has(method)) continue;
      const handler =
        prototype === target.prototype
          ? (value as object)
          : inherit(target.prototype, method, value as Handler);
      const found = adopt(handler, method, target.name);
      if (found !== undefined) adopted.set(method, found);
    }
  }
  return [...adopted.values()];
}

type Handler = (this: object, ...args: unknown[]) => unknown;

/** A copy for the subclass: what the decorators said of the base's own method goes on holding for other classes. */
function inherit(prototype: object, method: string, handler: Handler): object {
  if (!Reflect.hasMetadata(scheduleKeys.type, handler)) return handler;
  const copy: Handler = function (...args) {
    return handler.apply(this, args);
  };
  for (const key of Object.values(scheduleKeys)) {
    if (Reflect.hasMetadata(key, handler))
      Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), copy);
  }
  Object.defineProperty(prototype, method, { value: copy, configurable: true, writable: true });
  return copy;
}

function adopt(handler: object, method: string, owner: string): AdoptedMethod | undefined {
  // A base class's method may have been adopted for another class already.
  const known = Reflect.getMetadata(adoptedMethodMetadata, handler) as AdoptedMethod | undefined;
  if (known !== undefined || !Reflect.hasMetadata(scheduleKeys.type, handler)) return known;
  const adopted = read(handler, method, `${owner}.${method}()`);
  for (const key of Object.values(scheduleKeys)) Reflect.deleteMetadata(key, handler);
  Reflect.defineMetadata(adoptedMethodMetadata, adopted, handler);
  return adopted;
}

function read(handler: object, method: string, path: string): AdoptedMethod {
  const name = Reflect.getMetadata(scheduleKeys.name, handler) as string | undefined;
  const cron = Reflect.getMetadata(scheduleKeys.cron, handler) as CronDecoratorOptions | undefined;
  if (cron !== undefined) {
    return {
      method,
      name,
      enabled: cron.disabled !== true,
      initialDelayMs: cron.initialDelay,
      trigger: toCronTrigger(cron, path),
    };
  }
  const interval = Reflect.getMetadata(scheduleKeys.interval, handler) as { timeout: number } | undefined;
  const timeout = Reflect.getMetadata(scheduleKeys.timeout, handler) as { timeout: number } | undefined;
  const trigger = interval
    ? new PeriodicTrigger(checkMs(interval.timeout, 1, `@Interval() ${path}`))
    : new OnceTrigger(checkMs(timeout!.timeout, 0, `@Timeout() ${path}`));
  return { method, name, enabled: true, initialDelayMs: undefined, trigger };
}

function checkMs(ms: unknown, atLeast: number, path: string): number {
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= atLeast) return ms;
  throw new InvalidOptionsError(path, [
    new ArgumentOutOfRangeError('timeout', ms, `a number of milliseconds, ${atLeast} or more`),
  ]);
}

function toCronTrigger({ cronTime, timeZone, utcOffset }: CronDecoratorOptions, path: string): Trigger {
  if (cronTime instanceof Date) return new DateTrigger(cronTime.getTime());
  if (typeof cronTime === 'object') return new DateTrigger(cronTime.toMillis());
  try {
    return new CronTrigger(cronTime, (timeZone ?? utcOffset ?? undefined) as string | number | undefined);
  } catch (error) {
    const because = (error as Error).message.split('\n')[0];
    throw new InvalidOptionsError(`@Cron() ${path}`, [
      new ArgumentOutOfRangeError(
        'cronTime',
        cronTime,
        `a cron expression and a time zone that exist (${because})`,
      ),
    ]);
  }
}
