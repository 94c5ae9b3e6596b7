import { PeriodicTimer } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { ManualClock, type Instant } from './manual-clock.js';

function setup() {
  const clock = new ManualClock();
  const fired: string[] = [];
  const arm = (delayMs: number, name: string) =>
    clock.schedule(delayMs, () => fired.push(`${name}@${clock.monotonic()}`));
  return { clock, fired, arm };
}

describe('ManualClock', () => {
  it('stands still at a fixed instant until it is moved', async () => {
    const clock = new ManualClock();
    expect(new Date(clock.now()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
    expect(clock.monotonic()).toBe(0);
    await clock.advance('1h 30m');
    expect(new Date(clock.now()).toISOString()).toBe('2026-01-01T01:30:00.000Z');
    expect(clock.monotonic()).toBe(5_400_000);
  });

  it.each([new Date(5_000), 5_000, '1970-01-01T00:00:05Z'])('starts at %s when told to', (now) => {
    expect(new ManualClock({ now }).now()).toBe(5_000);
  });

  it('runs what falls due, in order of due time and then of arming, each at its own instant', async () => {
    const { clock, fired, arm } = setup();
    arm(30, 'c');
    arm(10, 'a');
    arm(30, 'd');
    arm(20, 'b');
    arm(31, 'late');
    await clock.advance(30);
    expect(fired).toEqual(['a@10', 'b@20', 'c@30', 'd@30']);
    expect(clock.pendingTimers).toBe(1);
    expect(clock.nextTimerAt).toBe(31);
  });

  it('runs what is armed on the way, if it falls due on the way', async () => {
    const { clock, fired, arm } = setup();
    clock.schedule(10, () => {
      arm(0, 'now');
      arm(5, 'soon');
      arm(500, 'later');
    });
    await clock.advance(20);
    expect(fired).toEqual(['now@10', 'soon@15']);
  });

  it('lets awaiting code re-arm before the next timer is chosen', async () => {
    const { clock } = setup();
    const timer = new PeriodicTimer('1s', { clock });
    const ticks: number[] = [];
    const loop = (async () => {
      while (await timer.waitForNextTick()) {
        for (let hop = 0; hop < 20; hop++) await Promise.resolve();
        ticks.push(clock.monotonic());
      }
    })();
    await clock.advance('5s');
    timer.dispose();
    await loop;
    expect(ticks).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
  });

  it('lets code that has just been started arm its timer before it moves', async () => {
    const { clock, fired, arm } = setup();
    void (async () => {
      for (let hop = 0; hop < 20; hop++) await Promise.resolve();
      arm(10, 'a');
    })();
    await clock.advance(10);
    expect(fired).toEqual(['a@10']);
  });

  it('does not run a cancelled timer, not even one that another cancels at the same instant', async () => {
    const { clock, fired, arm } = setup();
    const cancelled = arm(5, 'cancelled');
    clock.schedule(10, () => rival.cancel());
    const rival = arm(10, 'rival');
    cancelled.cancel();
    cancelled.cancel();
    await clock.advance(20);
    expect(fired).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
    expect(clock.nextTimerAt).toBeUndefined();
  });

  it('runs movements that overlap one after the other', async () => {
    const { clock, fired, arm } = setup();
    arm(10, 'a');
    arm(20, 'b');
    await Promise.all([clock.advance(10), clock.advance(10)]);
    expect(fired).toEqual(['a@10', 'b@20']);
    expect(clock.monotonic()).toBe(20);
  });

  it('stops at a timer that throws, rejects with its error, and can be moved on', async () => {
    const { clock, fired, arm } = setup();
    clock.schedule(10, () => {
      throw new Error('boom');
    });
    arm(20, 'a');
    await expect(clock.advance(30)).rejects.toThrow('boom');
    expect(clock.monotonic()).toBe(10);
    await clock.advance(20);
    expect(fired).toEqual(['a@20']);
  });

  it('advances to an instant, and refuses one that is past', async () => {
    const { clock, fired, arm } = setup();
    arm(60_000, 'a');
    await clock.advanceTo('2026-01-01T00:01:00Z');
    expect(fired).toEqual(['a@60000']);
    await clock.advanceTo(new Date(clock.now()));
    await expect(clock.advanceTo('2025-01-01T00:00:00Z')).rejects.toThrow(
      expect.objectContaining({ code: 'ARGUMENT_OUT_OF_RANGE', argument: 'instant' }) as never,
    );
    expect(clock.monotonic()).toBe(60_000);
  });

  it('sets the wall clock without letting time pass', async () => {
    const { clock, fired, arm } = setup();
    arm(10, 'a');
    clock.setTime('2030-01-01T00:00:00Z');
    expect([clock.monotonic(), clock.pendingTimers]).toEqual([0, 1]);
    expect(new Date(clock.now()).getUTCFullYear()).toBe(2030);
    clock.setTime('2020-01-01T00:00:00Z');
    await clock.advance(10);
    expect(fired).toEqual(['a@10']);
    expect(clock.now()).toBe(Date.parse('2020-01-01T00:00:00Z') + 10);
  });

  it('runs the next timer alone', async () => {
    const { clock, fired, arm } = setup();
    arm(10, 'a');
    arm(10, 'b');
    expect(await clock.runNext()).toBe(true);
    expect(fired).toEqual(['a@10']);
    expect(await clock.runNext()).toBe(true);
    expect(await clock.runNext()).toBe(false);
    expect(fired).toEqual(['a@10', 'b@10']);
  });

  it('says when so many timers are armed', async () => {
    const { clock, arm } = setup();
    const order: string[] = [];
    const two = clock.whenScheduled(2).then(() => order.push('two'));
    const three = clock.whenScheduled(3).then(() => order.push('three'));
    await clock.whenScheduled(0);
    arm(10, 'a');
    arm(10, 'b');
    await two;
    expect(order).toEqual(['two']);
    await clock.whenScheduled(2);
    arm(10, 'c');
    await three;
    expect(order).toEqual(['two', 'three']);
  });

  it.each([
    ['advance', (clock: ManualClock) => clock.advance('soon')],
    ['advance', (clock: ManualClock) => clock.advance(-1)],
    ['advanceTo', (clock: ManualClock) => clock.advanceTo('some day')],
    ['setTime', (clock: ManualClock) => clock.setTime(Number.NaN)],
    ['schedule', (clock: ManualClock) => clock.schedule(Infinity, () => {})],
    ['whenScheduled', (clock: ManualClock) => clock.whenScheduled(1.5)],
    ['new', () => new ManualClock({ now: {} as Instant })],
    ['new', () => new ManualClock(5 as never)],
  ])('%s refuses what it cannot use, synchronously', (_, act) => {
    const clock = new ManualClock();
    expect(() => act(clock)).toThrow(expect.objectContaining({ code: 'ARGUMENT_OUT_OF_RANGE' }) as never);
  });

  it('knows its options by name', () => {
    expect(() => new ManualClock({ noww: 5 } as never)).toThrow("Did you mean 'now'?");
  });

  it('takes a delay of less than nothing as now', async () => {
    const { clock, fired, arm } = setup();
    arm(-5, 'a');
    expect(fired).toEqual([]);
    await clock.advance(0);
    expect(fired).toEqual(['a@0']);
  });
});
