import { ArgumentOutOfRangeError, type Duration } from 'nestjs-nightshift/channels';
import { exceptionBehaviors, type ExceptionBehavior } from '../hosting/hosting.options.js';
import {
  readRestartOptions,
  restartKeys,
  type ResolvedRestartOptions,
  type RestartOptions,
} from '../hosting/restart-policy.js';
import { OptionsReader } from '../options-reader.js';
import { AlignedTrigger, alignedOf } from './aligned-trigger.js';
import { CronTrigger, timeZoneExpected } from './cron-trigger.js';
import { PeriodicTrigger } from './periodic-trigger.js';
import type { Trigger } from './trigger.js';

/** Options of `@BackgroundService()`. Without `every` and `cron` the service is long-running. */
export interface BackgroundServiceOptions {
  /**
   * What to call it in logs, health and the API. Unique in the application.
   * @default the name of the class
   */
  name?: string | undefined;
  /**
   * Whether it runs at all. The host's `enabled` is asked too.
   * @default true
   */
  enabled?: boolean | undefined;

  /** Tick at a fixed rate; the first tick comes after one period (see {@link exclusive}). Between 1 ms and 2^32-2 ms (about 49 days). */
  every?: Duration | undefined;
  /** Tick by the calendar: an expression in the dialect of `@nestjs/schedule`, for example `CronExpression.EVERY_HOUR`. */
  cron?: string | undefined;
  /**
   * The time zone of {@link cron}: an IANA name such as `'Europe/Berlin'`.
   * @default the time zone of the machine
   */
  timeZone?: string | undefined;
  /**
   * Tick once when the schedule begins.
   * @default false
   */
  runOnStart?: boolean | undefined;
  /** How long after the start the schedule begins. With `every`, unless exclusive, it is also the time of the first tick. */
  initialDelay?: Duration | undefined;
  /**
   * A random delay of up to this much before each tick, so that many instances do not all tick at once. The schedule
   * itself does not shift. Shorter than `every`.
   * @default 0
   */
  jitter?: Duration | undefined;
  /**
   * What to do with a tick that is due while one is running: pass over it, run one right after (however many were due),
   * or run it at the same time.
   * @default 'skip'
   */
  overlap?: 'skip' | 'queue' | 'parallel' | undefined;
  /**
   * What to do with a tick that is more than a second late, because the process was held up or asleep: run once and
   * count the others as `missed`, or pass over it. With a durable engine, ticks by `cron` and exclusive ones that were due
   * while no process ran are late in this sense too.
   * @default 'fireOnce'
   */
  misfire?: 'fireOnce' | 'skip' | undefined;
  /**
   * Run each occurrence in one process only, of all that share a durable engine. `every` then counts from the Unix epoch,
   * so that all of them come to the same times, and `overlap` still speaks of one process. Not together with
   * `runOnStart`: a tick at the start belongs to the process that starts.
   * @default false
   */
  exclusive?: boolean | undefined;
  /** After this long a tick's signal is aborted, and the tick counts as failed. By default never. */
  timeout?: Duration | undefined;
  /**
   * What a failed tick does: nothing more than a log line, stop this service, or stop the application.
   * @default 'continue'
   */
  onError?: 'continue' | 'stopService' | 'stopHost' | undefined;

  /**
   * What a fault of this long-running service does when it is not, or no longer, restarted.
   * @default the host's `exceptionBehavior`
   */
  exceptionBehavior?: ExceptionBehavior | undefined;
  /** Start this long-running service again after a fault. By default it is not. */
  restart?: RestartOptions | undefined;
}

/** How a service ticks. */
export interface ResolvedTickOptions {
  /** `undefined` when only adopted methods bring a schedule. */
  readonly trigger: Trigger | undefined;
  readonly runOnStart: boolean;
  readonly initialDelayMs: number | undefined;
  readonly jitterMs: number;
  readonly overlap: 'skip' | 'queue' | 'parallel';
  readonly misfire: 'fireOnce' | 'skip';
  readonly exclusive: boolean;
  readonly timeoutMs: number | undefined;
  readonly onError: 'continue' | 'stopService' | 'stopHost';
}

export interface ResolvedServiceOptions {
  readonly name: string;
  readonly enabled: boolean;
  readonly ticks: ResolvedTickOptions;
  readonly exceptionBehavior: ExceptionBehavior | undefined;
  readonly restart: ResolvedRestartOptions | undefined;
}

export const tickDefaults: ResolvedTickOptions = Object.freeze({
  trigger: undefined,
  runOnStart: false,
  initialDelayMs: undefined,
  jitterMs: 0,
  overlap: 'skip',
  misfire: 'fireOnce',
  exclusive: false,
  timeoutMs: undefined,
  onError: 'continue',
});

const scheduleKeys = ['every', 'cron', 'timeZone'] as const;
const tickKeys = [
  'runOnStart',
  'initialDelay',
  'jitter',
  'overlap',
  'misfire',
  'exclusive',
  'timeout',
] as const;
const longRunningKeys = ['exceptionBehavior', 'restart'] as const;
const knownKeys = ['name', 'enabled', 'onError', ...scheduleKeys, ...tickKeys, ...longRunningKeys] as const;

const ownMoment = 'each process starts at a moment of its own, which no other could claim';

/** The longest period, as of .NET's `PeriodicTimer`. */
const longestPeriodMs = 4_294_967_294;

/**
 * @param path what to call the options in messages
 * @param defaultName the name of the class
 * @param adopted the schedules that methods of the class bring, to which the tick options apply
 * @throws InvalidOptionsError listing everything that is wrong
 */
export function resolveServiceOptions(
  options: BackgroundServiceOptions,
  path: string,
  defaultName: string,
  adopted: readonly Trigger[] = [],
): ResolvedServiceOptions {
  const check = new OptionsReader(path, options, knownKeys);
  const exclusive = readExclusive(check, adopted);
  const trigger = readTrigger(check, exclusive);
  const isTicked = check.has('every') || check.has('cron');
  if (!isTicked && adopted.length === 0) {
    for (const key of tickKeys)
      if (check.has(key)) check.problem(key, 'left out, or used together with `every` or `cron`');
  }
  if (isTicked) {
    for (const key of longRunningKeys) {
      if (check.has(key))
        check.problem(key, 'left out of a service that ticks; what a failed tick does is `onError`');
    }
  }
  const resolved: ResolvedServiceOptions = {
    name: check.name('name', defaultName),
    enabled: check.boolean('enabled', true),
    ticks: readTickOptions(check, options, trigger, exclusive),
    exceptionBehavior: readExceptionBehavior(check, isTicked),
    restart: check.nested<RestartOptions, ResolvedRestartOptions>('restart', restartKeys, readRestartOptions),
  };
  check.finish();
  return Object.freeze(resolved);
}

/**
 * The trigger of a schedule given at run time.
 *
 * @param exclusive whether it is that of an exclusive service
 * @throws InvalidOptionsError
 */
export function resolveSchedule(
  schedule: Pick<BackgroundServiceOptions, (typeof scheduleKeys)[number]>,
  exclusive = false,
): Trigger {
  const check = new OptionsReader('schedule', schedule, scheduleKeys);
  const trigger = readTrigger(check, exclusive);
  if (!check.has('every') && !check.has('cron')) check.problem('every', 'given, unless `cron` is');
  check.finish();
  return trigger!;
}

function readExclusive(check: OptionsReader<BackgroundServiceOptions>, adopted: readonly Trigger[]): boolean {
  const exclusive = check.boolean('exclusive', tickDefaults.exclusive);
  if (exclusive && adopted.some((trigger) => alignedOf(trigger) === undefined))
    check.problem('exclusive', `left out of a class with @Timeout() methods: ${ownMoment}`);
  return exclusive;
}

function readTrigger(
  check: OptionsReader<BackgroundServiceOptions>,
  exclusive: boolean,
): Trigger | undefined {
  const isCron = check.has('cron');
  if (check.has('every') && isCron) check.problem('cron', 'left out when `every` is given');
  if (check.has('timeZone') && !isCron) check.problem('timeZone', 'left out, or used together with `cron`');
  if (check.has('every')) {
    const everyMs = check.durationMs('every', undefined, 1);
    if (everyMs === undefined) return undefined;
    if (everyMs > longestPeriodMs)
      check.problem('every', `a duration of at most ${longestPeriodMs} ms; use \`cron\` for longer ones`);
    return exclusive ? new AlignedTrigger(everyMs) : new PeriodicTrigger(everyMs);
  }
  return isCron ? readCron(check) : undefined;
}

function readCron(check: OptionsReader<BackgroundServiceOptions>): Trigger | undefined {
  const cron = check.value('cron', '', "a cron expression, such as '0 3 * * *'", isText);
  const timeZone = check.value<string | undefined>('timeZone', undefined, timeZoneExpected, isText);
  if (cron === '') return undefined;
  try {
    return new CronTrigger(cron, timeZone);
  } catch (error) {
    if (error instanceof ArgumentOutOfRangeError) check.problem('timeZone', timeZoneExpected);
    else {
      const because = (error as Error).message.split('\n')[0];
      check.problem('cron', `a cron expression, such as '0 3 * * *' (${because})`);
    }
    return undefined;
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

function readTickOptions(
  check: OptionsReader<BackgroundServiceOptions>,
  options: BackgroundServiceOptions,
  trigger: Trigger | undefined,
  exclusive: boolean,
): ResolvedTickOptions {
  const jitterMs = check.durationMs('jitter', tickDefaults.jitterMs);
  const runOnStart = check.boolean('runOnStart', tickDefaults.runOnStart);
  if (exclusive && runOnStart)
    check.problem('runOnStart', `left out when \`exclusive\` is given: ${ownMoment}`);
  const isPeriodic = trigger instanceof PeriodicTrigger || trigger instanceof AlignedTrigger;
  if (isPeriodic && jitterMs >= trigger.periodMs) {
    check.problem('jitter', `a duration shorter than \`every\` (${String(options.every)})`);
  }
  return Object.freeze({
    trigger,
    runOnStart,
    initialDelayMs: check.durationMs('initialDelay', tickDefaults.initialDelayMs),
    jitterMs,
    overlap: check.oneOf('overlap', tickDefaults.overlap, ['skip', 'queue', 'parallel']),
    misfire: check.oneOf('misfire', tickDefaults.misfire, ['fireOnce', 'skip']),
    exclusive,
    timeoutMs: check.durationMs('timeout', tickDefaults.timeoutMs, 1),
    onError: check.oneOf('onError', tickDefaults.onError, ['continue', 'stopService', 'stopHost']),
  });
}

/** A long-running service may be given `onError` too: it says the same in the words that ticks use. */
function readExceptionBehavior(
  check: OptionsReader<BackgroundServiceOptions>,
  isTicked: boolean,
): ExceptionBehavior | undefined {
  const behavior = check.has('exceptionBehavior')
    ? check.oneOf<ExceptionBehavior>('exceptionBehavior', 'stopHost', exceptionBehaviors)
    : undefined;
  if (isTicked || !check.has('onError')) return behavior;
  if (behavior !== undefined) check.problem('onError', 'left out when `exceptionBehavior` is given');
  const onError = check.oneOf('onError', 'stopHost', ['continue', 'stopService', 'stopHost']);
  return onError === 'stopHost' ? 'stopHost' : 'ignore';
}
