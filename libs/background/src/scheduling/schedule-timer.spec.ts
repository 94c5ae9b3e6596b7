import { describe, expect, it } from 'vitest';
import { blockableClock } from './blockable-clock.fixture.js';
import { CronTrigger } from './cron-trigger.js';
import { PeriodicTrigger } from './periodic-trigger.js';
import { ScheduleTimer, type DueTick } from './schedule-timer.js';
import { OnceTrigger, type Trigger } from './trigger.js';

const every = new PeriodicTrigger(1_000);
const atThree = new CronTrigger('0 3 * * *', 'UTC');
const minutely = new CronTrigger('* * * * *', 'UTC');

function setup(
  trigger: Trigger,
  { jitterMs = 0, random = (): number => 0, now = '2026-01-01T00:00:00Z' } = {},
) {
  const { manual, clock, holdUp } = blockableClock({ now });
  const ticks: (DueTick & { at: string })[] = [];
  const timer = new ScheduleTimer(trigger, clock, jitterMs, random, (tick) =>
    ticks.push({ ...tick, at: new Date(clock.now()).toISOString() }),
  );
  const dueTimes = () => ticks.map(({ scheduledAt }) => scheduledAt.toISOString());
  return { clock: manual, holdUp, timer, ticks, dueTimes };
}

describe('ScheduleTimer', () => {
  it('reports each due time at its time', async () => {
    const { clock, timer, ticks } = setup(every);
    timer.arm();
    expect(timer.nextAt).toEqual(new Date('2026-01-01T00:00:01Z'));
    await clock.advance(2_500);
    expect(ticks).toMatchObject([
      { at: '2026-01-01T00:00:01.000Z', passed: 0, lateMs: 0 },
      { at: '2026-01-01T00:00:02.000Z', passed: 0, lateMs: 0 },
    ]);
  });

  it('arms nothing and is over when the trigger has no further due time', async () => {
    const { clock, timer, ticks } = setup(new OnceTrigger(1_000));
    timer.arm();
    await clock.advance('1h');
    expect(ticks).toHaveLength(1);
    expect([timer.isOver, timer.nextAt, clock.pendingTimers]).toEqual([true, undefined, 0]);
  });

  it('leaves no timer armed when disarmed', () => {
    const { clock, timer } = setup(every);
    timer.arm();
    timer.disarm();
    expect([clock.pendingTimers, timer.nextAt, timer.isOver]).toEqual([0, undefined, false]);
  });

  it('is disarmed, and no longer over, when another trigger is put in place', async () => {
    const { clock, timer, ticks } = setup(new OnceTrigger(1_000));
    timer.arm();
    await clock.advance(1_000);
    timer.replace(every);
    expect([timer.trigger, timer.isOver, clock.pendingTimers]).toEqual([every, false, 0]);
    timer.arm();
    await clock.advance(1_000);
    expect(ticks).toHaveLength(2);
  });

  it.each([
    [true, '2026-01-01T00:00:00.500Z'],
    [false, '2026-01-01T00:00:01.500Z'],
  ])('shows the first tick during the delay when it ticks then: %s', async (ticksThen, next) => {
    const { clock, timer } = setup(every);
    const armed: number[] = [];
    timer.armAfter(500, ticksThen, () => armed.push(clock.monotonic()));
    expect(timer.isOver).toBe(false);
    expect(timer.nextAt).toEqual(new Date(next));
    await clock.advance(500);
    expect(armed).toEqual([500]);
    expect(timer.nextAt).toEqual(new Date('2026-01-01T00:00:01.500Z'));
  });

  it('counts what was passed over, and stays on its grid, when the process was held up', async () => {
    const { clock, holdUp, timer, ticks } = setup(every);
    timer.arm();
    holdUp(2_400);
    await clock.advance(1_000);
    expect(ticks).toMatchObject([{ scheduledAt: new Date('2026-01-01T00:00:03Z'), passed: 2, lateMs: 400 }]);
    await clock.advance(600);
    expect(ticks[1]).toMatchObject({ scheduledAt: new Date('2026-01-01T00:00:04Z'), passed: 0, lateMs: 0 });
  });

  it('delays each tick by a share of the jitter without shifting the schedule', async () => {
    const shares = [0.5, 0, 0.9];
    const { clock, timer, ticks, dueTimes } = setup(every, {
      jitterMs: 400,
      random: () => shares.shift() ?? 0,
    });
    timer.arm();
    await clock.advance(3_500);
    expect(ticks.map(({ at }) => at.slice(17, 23))).toEqual(['01.200', '02.000', '03.360']);
    expect(ticks.map(({ lateMs, passed }) => [lateMs, passed])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(dueTimes().map((due) => due.slice(17, 23))).toEqual(['01.000', '02.000', '03.000']);
  });
});

describe('ScheduleTimer when the clock is set', () => {
  it('a period does not care', async () => {
    const { clock, timer, ticks } = setup(every);
    timer.arm();
    clock.setTime('2030-01-01T00:00:00Z');
    await clock.advance(1_000);
    expect(ticks).toHaveLength(1);
    clock.setTime('2020-01-01T00:00:00Z');
    await clock.advance(1_000);
    expect(ticks).toMatchObject([
      { passed: 0 },
      { passed: 0, scheduledAt: new Date('2020-01-01T00:00:01Z') },
    ]);
  });

  it('a calendar finds out within a minute when it is set forward past the due time', async () => {
    const { clock, timer, ticks } = setup(atThree);
    timer.arm();
    clock.setTime('2026-01-01T03:30:00Z');
    await clock.advance('1m');
    expect(ticks).toMatchObject([{ scheduledAt: new Date('2026-01-01T03:00:00Z'), passed: 0 }]);
    expect(ticks[0]!.lateMs).toBe(31 * 60_000);
    expect(timer.nextAt).toEqual(new Date('2026-01-02T03:00:00Z'));
  });

  it('a calendar reports one tick, and how many were passed over, when it is set forward past several', async () => {
    const { clock, timer, ticks } = setup(minutely);
    timer.arm();
    clock.setTime('2026-01-01T01:00:30Z');
    await clock.advance('1m');
    expect(ticks).toHaveLength(1);
    expect(ticks).toMatchObject([
      { scheduledAt: new Date('2026-01-01T01:01:00Z'), passed: 60, lateMs: 30_000 },
    ]);
  });

  it('a calendar waits on, and is due once, when it is set back a little', async () => {
    const { clock, timer, dueTimes } = setup(atThree, { now: '2026-01-01T02:59:30Z' });
    timer.arm();
    clock.setTime('2026-01-01T02:00:00Z');
    await clock.advance('59m');
    expect(dueTimes()).toEqual([]);
    await clock.advance('1m');
    expect(dueTimes()).toEqual(['2026-01-01T03:00:00.000Z']);
  });

  it('a calendar is not due again when it is set back a little over a time that it was due at', async () => {
    const { clock, timer, dueTimes } = setup(atThree, { now: '2026-01-01T02:59:30Z' });
    timer.arm();
    await clock.advance('10m');
    clock.setTime('2026-01-01T02:50:00Z');
    await clock.advance('2h');
    expect(dueTimes()).toEqual(['2026-01-01T03:00:00.000Z']);
  });

  it('a calendar begins anew when it is set back by more than three hours', async () => {
    const { clock, timer, dueTimes } = setup(minutely, { now: '2030-01-01T00:00:30Z' });
    timer.arm();
    clock.setTime('2026-01-01T00:00:00Z');
    await clock.advance('2m');
    expect(dueTimes()).toEqual(['2026-01-01T00:01:00.000Z', '2026-01-01T00:02:00.000Z']);
    expect(clock.pendingTimers).toBe(1);
  });
});
