// Long because it has a test to an ID: P1 to P24.
import { getEventListeners } from 'node:events';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import {
  ArgumentOutOfRangeError,
  ConcurrentWaitError,
  PeriodicTimer,
  TimerDisposedError,
  type Duration,
} from './index.js';
import { outcome, pending } from './outcome.fixture.js';

function setup(period: Duration = 1_000) {
  const clock = new ManualClock();
  return { clock, timer: new PeriodicTimer(period, { clock }) };
}

const boom = new Error('boom');

describe('PeriodicTimer', () => {
  it('P1 starts at construction: the first tick comes one full period later', async () => {
    const { clock, timer } = setup();
    await clock.advance(600);
    const tick = timer.waitForNextTick();
    await clock.advance(399);
    expect(await outcome(tick)).toBe(pending);
    await clock.advance(1);
    expect(await tick).toBe(true);
  });

  it('P2 a tick that has come before the wait ends it at once', async () => {
    const { clock, timer } = setup();
    await clock.advance(1_000);
    expect(await Promise.race([timer.waitForNextTick(), Promise.resolve(pending)])).toBe(true);
  });

  it('P3 missed ticks count as one', async () => {
    const { clock, timer } = setup();
    await clock.advance(5_500);
    expect(await timer.waitForNextTick()).toBe(true);
    expect(await outcome(timer.waitForNextTick())).toBe(pending);
  });

  it('P4 ticks stay on the grid after a long iteration, and never drift', async () => {
    const { clock, timer } = setup();
    const seen: number[] = [];
    const loop = (async () => {
      while (await timer.waitForNextTick()) {
        seen.push(clock.monotonic());
        // The second iteration takes two and a half periods.
        if (seen.length === 2) await new Promise<void>((resolve) => clock.schedule(2_500, resolve));
      }
    })();
    await clock.advance(6_000);
    timer.dispose();
    await loop;
    expect(seen).toEqual([1_000, 2_000, 4_500, 5_000, 6_000]);
  });

  it('P4 does not drift over ten thousand ticks that are all seen late', async () => {
    const { clock, timer } = setup(10);
    let ticks = 0;
    for (let i = 1; i <= 100; i++) {
      await clock.advanceTo(Date.parse('2026-01-01T00:00:00Z') + i * 1_000 + 3);
      if (await timer.waitForNextTick()) ticks++;
    }
    expect(ticks).toBe(100);
    const next = timer.waitForNextTick();
    expect(clock.nextTimerAt).toBe(100_010);
    timer.dispose();
    expect(await next).toBe(false);
  });

  it('P5 a second wait throws synchronously and leaves the first unharmed', async () => {
    const { clock, timer } = setup();
    const first = timer.waitForNextTick();
    expect(() => timer.waitForNextTick()).toThrow(ConcurrentWaitError);
    expect(() => timer.waitForNextTick()).toThrow(expect.objectContaining({ code: 'CONCURRENT_WAIT' }));
    await clock.advance(1_000);
    expect(await first).toBe(true);
  });

  it('P6 the check for a second wait comes before the signal', () => {
    const { timer } = setup();
    void timer.waitForNextTick();
    expect(() => timer.waitForNextTick({ signal: AbortSignal.abort(boom) })).toThrow(ConcurrentWaitError);
    timer.dispose();
  });

  it('P7 an aborted signal wins over a tick and uses none up', async () => {
    const { clock, timer } = setup();
    await clock.advance(1_000);
    await expect(timer.waitForNextTick({ signal: AbortSignal.abort(boom) })).rejects.toBe(boom);
    expect(await timer.waitForNextTick()).toBe(true);
  });

  it('P8 P9 cancelling ends that wait only: the timer goes on', async () => {
    const { clock, timer } = setup();
    const controller = new AbortController();
    const wait = timer.waitForNextTick({ signal: controller.signal });
    expect(clock.pendingTimers).toBe(1);
    controller.abort(boom);
    await expect(wait).rejects.toBe(boom);
    expect(clock.pendingTimers).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    await clock.advance(999);
    const next = timer.waitForNextTick();
    await clock.advance(1);
    expect(await next).toBe(true);
  });

  it('P10 the tick decides when it comes before the abort', async () => {
    const { clock, timer } = setup();
    const controller = new AbortController();
    const wait = timer.waitForNextTick({ signal: controller.signal });
    clock.schedule(1_000, () => controller.abort(boom));
    await clock.advance(1_000);
    expect(await wait).toBe(true);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('P11 P12 P13 P14 dispose ends the pending wait and all later ones with false, tick or no tick', async () => {
    const { clock, timer } = setup();
    const wait = timer.waitForNextTick();
    timer.dispose();
    timer.dispose();
    expect(await wait).toBe(false);
    expect(await timer.waitForNextTick()).toBe(false);
    expect(clock.pendingTimers).toBe(0);

    const missed = setup();
    await missed.clock.advance(1_500);
    missed.timer[Symbol.dispose]();
    expect(await missed.timer.waitForNextTick()).toBe(false);
  });

  it('P15 after dispose an aborted signal still comes first', async () => {
    const { timer } = setup();
    timer.dispose();
    await expect(timer.waitForNextTick({ signal: AbortSignal.abort(boom) })).rejects.toBe(boom);
  });

  it.each([
    [1, 1],
    [1.9, 1],
    ['1.5s', 1_500],
    [4_294_967_294, 4_294_967_294],
    [Infinity, Infinity],
  ])('P16 P18 takes a period of %s, which reads as %s', (period, read) => {
    const { timer } = setup(period);
    expect(timer.period).toBe(read);
    timer.period = '2s';
    expect(timer.period).toBe(2_000);
  });

  it.each([0, 0.9, -1, -Infinity, Number.NaN, 4_294_967_295, '0s', 'soon', '10', undefined, null, {}])(
    'P16 P18 P21 refuses a period of %s, in the constructor and later, and keeps the old one',
    (period) => {
      const wrong = period as Duration;
      const expected = expect.objectContaining({ code: 'ARGUMENT_OUT_OF_RANGE', argument: 'period' });
      expect(() => new PeriodicTimer(wrong)).toThrow(expected);
      const { timer } = setup();
      expect(() => (timer.period = wrong)).toThrow(expected);
      expect(timer.period).toBe(1_000);
      timer.dispose();
      expect(() => (timer.period = wrong)).toThrow(ArgumentOutOfRangeError);
    },
  );

  it('P17 an infinite period never ticks and arms nothing, until it is changed', async () => {
    const { clock, timer } = setup(Infinity);
    const wait = timer.waitForNextTick();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance('52w');
    expect(await outcome(wait)).toBe(pending);
    timer.period = '10s';
    await clock.advance('10s');
    expect(await wait).toBe(true);
    timer.period = Infinity;
    const last = timer.waitForNextTick();
    expect(clock.pendingTimers).toBe(0);
    timer.dispose();
    expect(await last).toBe(false);
  });

  it('P19 a new period counts from the change, for a pending wait and for none', async () => {
    const { clock, timer } = setup();
    const wait = timer.waitForNextTick();
    await clock.advance(900);
    timer.period = 300;
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(299);
    expect(await outcome(wait)).toBe(pending);
    await clock.advance(1);
    expect(await wait).toBe(true);
    timer.period = 500;
    await clock.advance(499);
    const next = timer.waitForNextTick();
    expect(await outcome(next)).toBe(pending);
    await clock.advance(1);
    expect(await next).toBe(true);
  });

  it('P20 changing the period keeps a tick that has been missed', async () => {
    const { clock, timer } = setup();
    await clock.advance(1_200);
    timer.period = 5_000;
    await clock.advance(1_000);
    expect(await timer.waitForNextTick()).toBe(true);
    const next = timer.waitForNextTick();
    expect(clock.nextTimerAt).toBe(6_200);
    await clock.advanceTo(clock.now() + 4_000);
    expect(await next).toBe(true);
  });

  it('P20 keeps a missed tick when the new period is infinite', async () => {
    const { clock, timer } = setup();
    await clock.advance(1_200);
    timer.period = Infinity;
    expect(await timer.waitForNextTick()).toBe(true);
    expect(await outcome(timer.waitForNextTick())).toBe(pending);
    expect(clock.pendingTimers).toBe(0);
  });

  it('P20 delivers a tick that is due while its timer has yet to run', async () => {
    const { clock, timer } = setup();
    clock.schedule(1_000, () => (timer.period = 300));
    const wait = timer.waitForNextTick();
    await clock.advance(1_000);
    expect(await wait).toBe(true);
    void timer.waitForNextTick();
    expect(clock.nextTimerAt).toBe(1_300);
  });

  it('P21 setting a valid period after dispose throws TimerDisposedError', () => {
    const { timer } = setup();
    timer.dispose();
    expect(() => (timer.period = 5)).toThrow(TimerDisposedError);
    expect(() => (timer.period = 5)).toThrow(expect.objectContaining({ code: 'TIMER_DISPOSED' }));
  });

  it.each([
    ['null', null, 'options'],
    ['a clock in place of options', 5, 'options'],
    ['no clock', { clock: {} }, 'clock'],
    ['half a clock', { clock: { schedule() {} } }, 'clock'],
    ['the other half', { clock: { monotonic: () => 0 } }, 'clock'],
    ['a null clock', { clock: null }, 'clock'],
  ])('P22 refuses wrong options: %s', (_, options, argument) => {
    const create = () => new PeriodicTimer(1, options as { clock: ManualClock });
    expect(create).toThrow(expect.objectContaining({ code: 'ARGUMENT_OUT_OF_RANGE', argument }));
  });

  it('P22 checks the period before the clock, and knows its options by name', () => {
    const options = { clok: new ManualClock() };
    expect(() => new PeriodicTimer(0, options as object)).toThrow(ArgumentOutOfRangeError);
    expect(() => new PeriodicTimer(1, options as object)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION', suggestion: 'clock' }),
    );
  });

  it.each([
    [() => new PeriodicTimer(0), 'period must be 1 to 4294967294 milliseconds, or Infinity, but got 0.'],
    [() => new PeriodicTimer('soon'), /^period must be a duration: .* but got 'soon'/],
    [() => new PeriodicTimer(1, 5 as never), 'options must be an object such as { clock }, but got 5.'],
    [
      () => new PeriodicTimer(1, { clock: 5 } as object),
      'clock must be a Clock, such as systemClock, but got 5.',
    ],
    [() => new PeriodicTimer(1, { clock: 5, signal: 5 } as object), /^PeriodicTimer got 2 options/],
  ])('says which value it was given and which it takes: %s', (create, message) => {
    expect(create).toThrow(message);
  });

  it('P24 setting the wall clock makes no tick', async () => {
    const { clock, timer } = setup();
    const wait = timer.waitForNextTick();
    clock.setTime('2030-01-01T00:00:00Z');
    await clock.advance(999);
    expect(await outcome(wait)).toBe(pending);
    timer.dispose();
    expect(await wait).toBe(false);
  });

  it('is armed only while it is waited for', async () => {
    const { clock, timer } = setup();
    expect(clock.pendingTimers).toBe(0);
    const wait = timer.waitForNextTick();
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1_000);
    await wait;
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not armed by a new period while nobody waits', () => {
    const { clock, timer } = setup();
    timer.period = 500;
    expect(clock.pendingTimers).toBe(0);
  });

  it('can be iterated until it is disposed', async () => {
    const { clock, timer } = setup();
    const seen: number[] = [];
    const loop = (async () => {
      for await (const _ of timer) seen.push(clock.monotonic());
    })();
    await clock.advance('3s');
    timer.dispose();
    await loop;
    expect(seen).toEqual([1_000, 2_000, 3_000]);
  });

  it('goes on ticking when an iteration is left', async () => {
    const { clock, timer } = setup();
    await clock.advance('1s');
    for await (const _ of timer) break;
    await clock.advance('1s');
    expect(await timer.waitForNextTick()).toBe(true);
  });

  it('uses the machine clock by default', () => {
    const timer = new PeriodicTimer('1h');
    expect(timer.period).toBe(3_600_000);
    timer.dispose();
  });
});
