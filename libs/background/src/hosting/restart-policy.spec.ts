import { constant, exponential, InvalidOptionsError } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { OptionsReader } from '../options-reader.js';
import {
  readRestartOptions,
  restartDefaults,
  restartKeys,
  RestartPolicy,
  type ResolvedRestartOptions,
  type RestartOptions,
} from './restart-policy.js';

function setup(overrides: Partial<ResolvedRestartOptions> = {}) {
  return new RestartPolicy({ maxRestarts: 2, withinMs: 1_000, backoff: constant(10), ...overrides });
}

function read(options: RestartOptions) {
  const check = new OptionsReader<RestartOptions>('restart', options, restartKeys);
  const resolved = readRestartOptions(check);
  check.finish();
  return resolved;
}

describe('RestartPolicy', () => {
  it('allows no more than maxRestarts within the window', () => {
    const policy = setup();
    expect([policy.next(0), policy.next(100), policy.next(200)]).toEqual([10, 10, undefined]);
  });

  it('counts from the moment at which the service runs again', () => {
    const policy = setup({ maxRestarts: 1, backoff: constant(500) });
    policy.next(0);
    expect(policy.next(999)).toBeUndefined(); // it would run again 999 ms after it last did
    expect(policy.next(1_000)).toBe(500);
  });

  it('backs off further with each restart, and anew once the window has passed', () => {
    const policy = setup({ maxRestarts: 9, backoff: exponential({ initial: 10 }) });
    expect([policy.next(0), policy.next(100), policy.next(200), policy.next(5_000)]).toEqual([
      10, 20, 40, 10,
    ]);
  });

  it('backs off anew from the moment at which the service has run for as long as the window', () => {
    const backoff = exponential({ initial: 10 });
    const delayAfter = (nowMs: number) => {
      const policy = setup({ backoff });
      policy.next(0); // runs again at 10
      return policy.next(nowMs);
    };
    expect([delayAfter(1_009), delayAfter(1_010)]).toEqual([20, 10]);
  });

  it('allows none when maxRestarts is 0', () => {
    expect(setup({ maxRestarts: 0 }).next(0)).toBeUndefined();
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('refuses a delay of %s from a backoff', (delayMs) => {
    const policy = setup({ backoff: { delayMs: () => delayMs } });
    expect(() => policy.next(0)).toThrow(/backoff\.delayMs\(\) must be a duration/);
  });
});

describe('readRestartOptions', () => {
  it('gives the defaults when nothing is set', () => {
    expect(read({})).toEqual(restartDefaults);
  });

  it('restarts five times in five minutes, after 1 s doubling to 1 m less a fifth at most, by default', () => {
    expect(restartDefaults).toMatchObject({ maxRestarts: 5, withinMs: 300_000 });
    for (const [attempt, longestMs] of [
      [1, 1_000],
      [2, 2_000],
      [99, 60_000],
    ] as const) {
      const delaysMs = Array.from({ length: 20 }, () => restartDefaults.backoff.delayMs(attempt));
      expect(Math.max(...delaysMs)).toBeLessThanOrEqual(longestMs);
      expect(Math.min(...delaysMs)).toBeGreaterThanOrEqual(longestMs * 0.8);
      expect(new Set(delaysMs).size).toBeGreaterThan(1);
    }
  });

  it('reads what is set, durations in milliseconds', () => {
    const backoff = constant('1s');
    expect(read({ maxRestarts: 0, within: '1m', backoff })).toEqual({
      maxRestarts: 0,
      withinMs: 60_000,
      backoff,
    });
  });

  it('reports everything that is wrong at once', () => {
    const wrong = { maxRestarts: -1, within: 0, backoff: '1s' } as unknown as RestartOptions;
    expect(() => read(wrong)).toThrow(InvalidOptionsError);
    expect(() => read(wrong)).toThrow(/maxRestarts[^]*within[^]*backoff/);
    expect(() => read({ backoff: null } as never)).toThrow(
      /backoff must be a backoff, such as exponential\(.*\), but got null/,
    );
  });
});
