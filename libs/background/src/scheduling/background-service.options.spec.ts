import { constant, InvalidOptionsError } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { restartDefaults } from '../hosting/restart-policy.js';
import { resolveSchedule, resolveServiceOptions, tickDefaults } from './background-service.options.js';
import { AlignedTrigger } from './aligned-trigger.js';
import { CronTrigger } from './cron-trigger.js';
import { PeriodicTrigger } from './periodic-trigger.js';
import { OnceTrigger, type Trigger } from './trigger.js';

const resolve = (options: unknown, adopted?: readonly Trigger[]) =>
  resolveServiceOptions(options as object, '@BackgroundService() on Stirrer', 'Stirrer', adopted);

function problemsOf(options: unknown, adopted?: readonly Trigger[]): string[] {
  try {
    resolve(options, adopted);
  } catch (error) {
    return (error as InvalidOptionsError).problems.map(({ message }) => message);
  }
  return [];
}

describe('resolveServiceOptions', () => {
  it('gives a long-running service named after its class when nothing is set', () => {
    const resolved = resolve({});
    expect(resolved).toEqual({
      name: 'Stirrer',
      enabled: true,
      ticks: tickDefaults,
      exceptionBehavior: undefined,
      restart: undefined,
    });
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  it('reads a service that ticks by a period', () => {
    const { ticks } = resolve({
      every: '10s',
      runOnStart: true,
      initialDelay: '1m',
      jitter: '2s',
      overlap: 'queue',
      misfire: 'skip',
      timeout: '5s',
      onError: 'stopHost',
    });
    expect(ticks.trigger).toEqual(new PeriodicTrigger(10_000));
    expect(ticks).toMatchObject({
      runOnStart: true,
      initialDelayMs: 60_000,
      jitterMs: 2_000,
      overlap: 'queue',
      misfire: 'skip',
      timeoutMs: 5_000,
      onError: 'stopHost',
    });
  });

  it('reads an exclusive service, and aligns its period to the clock', () => {
    expect(resolve({ every: '10s', exclusive: true }).ticks).toMatchObject({
      exclusive: true,
      trigger: new AlignedTrigger(10_000),
    });
    expect(resolve({ cron: '@daily', exclusive: true }).ticks.trigger).toBeInstanceOf(CronTrigger);
    expect(resolve({ every: '10s', exclusive: false, runOnStart: true }).ticks.trigger).toEqual(
      new PeriodicTrigger(10_000),
    );
  });

  it('reads a service that ticks by the calendar, in a zone', () => {
    const { trigger } = resolve({ cron: '0 12 * * *', timeZone: 'Asia/Kolkata' }).ticks;
    expect(trigger).toBeInstanceOf(CronTrigger);
    expect(trigger!.first(Date.parse('2026-01-01'))).toBe(Date.parse('2026-01-01T06:30:00Z'));
    expect(resolve({ cron: '@daily' }).ticks.trigger).toBeInstanceOf(CronTrigger);
  });

  it('reads a long-running service', () => {
    const backoff = constant('1s');
    const { restart, exceptionBehavior } = resolve({ restart: { backoff }, exceptionBehavior: 'ignore' });
    expect(restart).toEqual({ ...restartDefaults, backoff });
    expect(exceptionBehavior).toBe('ignore');
  });

  it.each([
    ['stopHost', 'stopHost'],
    ['stopService', 'ignore'],
    ['continue', 'ignore'],
  ] as const)(
    'onError %s of a long-running service is exceptionBehavior %s',
    (onError, exceptionBehavior) => {
      expect(resolve({ onError }).exceptionBehavior).toBe(exceptionBehavior);
    },
  );

  it.each([
    [{ every: '1s', cron: '* * * * *' }, 'cron must be left out when `every` is given'],
    [{ timeZone: 'UTC' }, 'timeZone must be left out, or used together with `cron`'],
    [{ every: 0 }, 'every must be a duration of at least 1 ms'],
    [{ every: 'often' }, 'every must be a duration'],
    [{ every: '50d' }, 'every must be a duration of at most 4294967294 ms; use `cron`'],
    [{ every: '1s', jitter: '1s' }, 'jitter must be a duration shorter than `every` (1s)'],
    [{ cron: 'noon' }, "cron must be a cron expression, such as '0 3 * * *' (Unknown alias: noo)"],
    [{ cron: '' }, 'cron must be a cron expression'],
    [{ cron: 5 }, 'cron must be a cron expression'],
    [{ cron: '0 0 30 2 *' }, 'cron must be a cron expression'],
    [{ cron: '* * * * *', timeZone: 'Berlin' }, 'timeZone must be an IANA time zone'],
    [{ cron: '* * * * *', timeZone: 60 }, 'timeZone must be an IANA time zone'],
    [{ every: '1s', overlap: 'never' }, "overlap must be 'skip' or 'queue' or 'parallel'"],
    [{ every: '1s', misfire: 'run' }, "misfire must be 'fireOnce' or 'skip'"],
    [{ every: '1s', timeout: 0 }, 'timeout must be a duration of at least 1 ms'],
    [{ every: '1s', onError: 'panic' }, 'onError must be'],
    [{ every: '1s', restart: {} }, 'restart must be left out of a service that ticks'],
    [
      { every: '1s', exceptionBehavior: 'ignore' },
      'exceptionBehavior must be left out of a service that ticks',
    ],
    [
      { exceptionBehavior: 'ignore', onError: 'continue' },
      'onError must be left out when `exceptionBehavior`',
    ],
    [{ exceptionBehavior: 'panic' }, "exceptionBehavior must be 'stopHost' or 'ignore'"],
    [{ runOnStart: true }, 'runOnStart must be left out, or used together with `every` or `cron`'],
    [{ exclusive: true }, 'exclusive must be left out, or used together with `every` or `cron`'],
    [{ every: '1s', exclusive: 'yes' }, 'exclusive must be true or false'],
    [
      { every: '1s', exclusive: true, runOnStart: true },
      'runOnStart must be left out when `exclusive` is given',
    ],
    [{ every: '1s', exclusive: true, jitter: '1s' }, 'jitter must be a duration shorter than `every` (1s)'],
    [{ restart: { maxRestart: 1 } }, 'restart.maxRestart'],
    [{ restart: null }, 'restart must be an object'],
    [{ name: '' }, 'name must be a name of at least one character'],
    [{ evry: '1s' }, 'Did you mean'],
    [null, 'must be an object'],
    [[], 'must be an object'],
  ])('refuses %j: %s', (options, message) => {
    expect(problemsOf(options)).toEqual([expect.stringContaining(message)]);
  });

  it('reports everything that is wrong at once, by the path it was given', () => {
    const problems = problemsOf({ every: 'often', overlap: 'x', enabled: 1 });
    expect(problems).toHaveLength(3);
    for (const problem of problems) expect(problem).toContain('@BackgroundService() on Stirrer.');
  });

  it('takes tick options without a schedule when methods of the class bring schedules', () => {
    expect(problemsOf({ overlap: 'queue', timeout: '1s' }, [new PeriodicTrigger(1_000)])).toEqual([]);
    expect(resolve({ overlap: 'queue' }, [new PeriodicTrigger(1_000)]).ticks).toMatchObject({
      trigger: undefined,
      overlap: 'queue',
    });
  });

  it('refuses exclusive when a method of the class has a moment of its own', () => {
    expect(problemsOf({ exclusive: true }, [new PeriodicTrigger(1_000)])).toEqual([]);
    expect(problemsOf({ exclusive: true }, [new OnceTrigger(1_000)])).toEqual([
      expect.stringContaining('exclusive must be left out of a class with @Timeout() methods'),
    ]);
  });
});

describe('resolveSchedule', () => {
  it('gives the trigger', () => {
    expect(resolveSchedule({ every: '1s' }, true)).toEqual(new AlignedTrigger(1_000));
    expect(resolveSchedule({ every: '1s' })).toEqual(new PeriodicTrigger(1_000));
    expect(resolveSchedule({ cron: '* * * * *', timeZone: 'UTC' })).toBeInstanceOf(CronTrigger);
  });

  it.each([
    [{}, 'schedule.every must be given, unless `cron` is'],
    [{ cron: 'noon' }, 'schedule.cron'],
    [{ every: '1s', overlap: 'skip' }, 'schedule.overlap'],
    [null, 'schedule must be an object'],
  ])('refuses %j: %s', (schedule, message) => {
    expect(() => resolveSchedule(schedule as object)).toThrow(message);
  });
});
