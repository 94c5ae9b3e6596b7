import * as fc from 'fast-check';
import { systemClock } from 'nestjs-nightshift/channels';
import { describe, expect, it, vi } from 'vitest';
import { longTimeout, runs } from '../../../../test/long-runs.js';
import { blockableClock } from './blockable-clock.fixture.js';
import { PeriodicTrigger } from './periodic-trigger.js';
import { ScheduleTimer, type DueTick } from './schedule-timer.js';
import type { Trigger } from './trigger.js';

const minute = 60_000;
const hour = 60 * minute;
const epoch = Date.parse('2026-01-01T00:00:00Z');

/** Due at every multiple of a length of time, as the wall clock shows it: a calendar that needs no cron. */
class WallGrid implements Trigger {
  readonly axis = 'wall';
  readonly description = 'grid';

  constructor(private readonly length: number) {}

  first(now: number): number {
    return this.after(now);
  }

  after(due: number): number {
    return (Math.floor(due / this.length) + 1) * this.length;
  }

  latest(due: number, now: number): { due: number; passed: number } {
    const latest = Math.floor(now / this.length) * this.length;
    return { due: latest, passed: (latest - due) / this.length };
  }
}

/** Every tick as it was reported, with what both clocks showed then. */
interface Report extends DueTick {
  readonly wall: number;
  readonly monotonic: number;
}

function setup(trigger: Trigger, jitterMs = 0, random = (): number => 0) {
  const { manual, clock, holdUp } = blockableClock({ now: epoch + 1 });
  const reports: Report[] = [];
  const timer = new ScheduleTimer(trigger, clock, jitterMs, random, (tick) =>
    reports.push({ ...tick, wall: clock.now(), monotonic: clock.monotonic() }),
  );
  timer.arm();
  return { manual, clock, holdUp, timer, reports };
}

/** Shares of a length of time, evenly spread: doubles would nearly all be tiny. */
const hundredths = (max: number) => fc.nat({ max }).map((n) => n / 100);

const total = (reports: readonly Report[]): number =>
  reports.reduce((sum, { passed }) => sum + 1 + passed, 0);

describe(
  'ScheduleTimer with a period, whatever happens to the process and to the wall clock',
  longTimeout,
  () => {
    const periods = fc.constantFrom(1, 7, 1_000, minute, 2_147_483_648, 4_294_967_294);
    const move = fc.record({
      kind: fc.constantFrom('advance', 'advance', 'holdUp', 'setTime'),
      share: fc.oneof(hundredths(400), fc.constantFrom(0, 1, 2)),
    });

    it('reports each point of its grid once, alone or as passed over, and is armed for the next', async () => {
      const plan = fc.tuple(periods, fc.array(move, { maxLength: 15 }));
      const property = fc.asyncProperty(plan, async ([periodMs, moves]) => {
        const { manual, clock, holdUp, timer, reports } = setup(new PeriodicTrigger(periodMs));
        for (const { kind, share } of [...moves, { kind: 'advance', share: 1 } as const]) {
          const ms = Math.round(share * periodMs);
          if (kind === 'advance') await manual.advance(ms);
          else if (kind === 'holdUp') holdUp(ms);
          else manual.setTime(epoch + (share - 2) * 1e11);
          expect(manual.pendingTimers).toBe(1);
          const next = (total(reports) + 1) * periodMs;
          expect(timer.nextAt!.getTime()).toBe(Math.round(clock.now() + next - clock.monotonic()));
        }
        expect(total(reports)).toBe(Math.floor(clock.monotonic() / periodMs));
        for (const [index, { monotonic, lateMs, scheduledAt, wall }] of reports.entries()) {
          const due = total(reports.slice(0, index + 1)) * periodMs;
          expect([monotonic - lateMs, scheduledAt.getTime()]).toEqual([due, Math.round(wall - lateMs)]);
          expect(lateMs >= 0 && lateMs < periodMs).toBe(true);
        }
      });
      await fc.assert(property, { numRuns: runs(60) });
    });

    it('is never early, and loses no tick, when there is jitter', async () => {
      const plan = fc.tuple(
        fc.integer({ min: 2, max: 1_000 }),
        fc.infiniteStream(hundredths(99)),
        fc.array(move, { maxLength: 15 }),
      );
      const property = fc.asyncProperty(plan, async ([periodMs, random, moves]) => {
        const jitterMs = periodMs - 1;
        const { manual, holdUp, reports } = setup(
          new PeriodicTrigger(periodMs),
          jitterMs,
          () => random.next().value!,
        );
        for (const { kind, share } of moves) {
          const ms = Math.round(share * periodMs);
          if (kind === 'holdUp') holdUp(ms);
          else await manual.advance(ms);
          expect(manual.pendingTimers).toBe(1);
        }
        for (const [index, { monotonic, lateMs, passed }] of reports.entries()) {
          const due = total(reports.slice(0, index + 1)) * periodMs;
          expect(passed).toBeGreaterThanOrEqual(0);
          expect(lateMs).toBeGreaterThanOrEqual(-1e-6);
          expect(monotonic).toBeGreaterThanOrEqual(due);
        }
      });
      await fc.assert(property, { numRuns: runs(60) });
    });

    it('waits in stages when the period is longer than a timer of the platform', () => {
      vi.useFakeTimers();
      const arm = vi.spyOn(globalThis, 'setTimeout');
      const periodMs = 4_294_967_294;
      const ticks: DueTick[] = [];
      const timer = new ScheduleTimer(new PeriodicTrigger(periodMs), systemClock, 0, Math.random, (tick) =>
        ticks.push(tick),
      );
      timer.arm();
      const nextAt = timer.nextAt!;
      vi.advanceTimersByTime(periodMs - 1);
      expect(ticks).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(ticks).toMatchObject([{ scheduledAt: nextAt, passed: 0 }]);
      vi.advanceTimersByTime(periodMs);
      expect(ticks).toHaveLength(2);
      expect(Math.max(...arm.mock.calls.map(([, delayMs]) => delayMs!))).toBeLessThan(2 ** 31);
      timer.disarm();
      expect(vi.getTimerCount()).toBe(0);
      arm.mockRestore();
      vi.useRealTimers();
    });
  },
);

describe(
  'ScheduleTimer with a calendar, whatever happens to the process and to the wall clock',
  longTimeout,
  () => {
    const lengths = fc.constantFrom(20_000, minute, 5 * minute, hour);
    const settled = fc.integer({ min: minute, max: 10 * minute });
    const passing = fc.record({
      kind: fc.constantFrom('advance', 'holdUp'),
      ms: fc.oneof(fc.nat({ max: 3 * minute }), fc.nat({ max: 2 * hour })),
    });
    /** The clock is set, and then there is a minute to find out. */
    const jump = (min: number, max: number) =>
      fc.record({ kind: fc.constant('setTime' as const), by: fc.integer({ min, max }), ms: settled });

    type Move = {
      readonly kind: 'advance' | 'holdUp' | 'setTime';
      readonly ms: number;
      readonly by?: number;
    };

    async function make(
      { kind, ms, by = 0 }: Move,
      { manual, holdUp }: ReturnType<typeof setup>,
    ): Promise<void> {
      if (kind === 'holdUp') return void holdUp(ms);
      if (kind === 'setTime') manual.setTime(manual.now() + by);
      await manual.advance(ms);
    }

    it('reports each time once, alone or as passed over, when the clock is never set back by much', async () => {
      const moves = fc.array(fc.oneof(passing, jump(-3 * hour, 3 * hour), jump(0, 1e12)), { maxLength: 20 });
      const property = fc.asyncProperty(lengths, moves, async (length, plan) => {
        const bundle = setup(new WallGrid(length));
        const { manual, clock, timer, reports } = bundle;
        for (const move of plan) {
          await make(move, bundle);
          expect(manual.pendingTimers).toBe(1);
          // Set back or not: what is next is what follows the last one reported.
          expect(timer.nextAt!.getTime()).toBe(epoch + (total(reports) + 1) * length);
        }
        await manual.advance(minute);
        expect(timer.nextAt!.getTime()).toBeGreaterThan(clock.now());
        for (const [index, { scheduledAt, wall, lateMs }] of reports.entries()) {
          expect(scheduledAt.getTime()).toBe(epoch + total(reports.slice(0, index + 1)) * length);
          expect(lateMs).toBe(wall - scheduledAt.getTime());
          expect(lateMs >= 0 && lateMs < length).toBe(true);
        }
      });
      await fc.assert(property, { numRuns: runs(60) });
    });

    it('is due in the time that the clock shows when it has been set back by very much', async () => {
      // By more than the process can have been held up for: a timer knows only what both come to.
      const back = jump(-1e12, -1e9);
      const moves = fc.array(fc.oneof(passing, jump(-3 * hour, 1e12), back), { maxLength: 15 });
      const property = fc.asyncProperty(lengths, moves, back, async (length, plan, last) => {
        const bundle = setup(new WallGrid(length));
        const { manual, clock, timer, reports } = bundle;
        for (const move of [...plan, last]) {
          await make(move, bundle);
          expect(manual.pendingTimers).toBe(1);
        }
        expect(timer.nextAt!.getTime() - clock.now()).toBeGreaterThan(0);
        expect(timer.nextAt!.getTime() - clock.now()).toBeLessThanOrEqual(length);
        for (const { scheduledAt, wall, passed } of reports) {
          expect(wall - scheduledAt.getTime()).toBeLessThan(length);
          expect(passed).toBeGreaterThanOrEqual(0);
        }
      });
      await fc.assert(property, { numRuns: runs(60) });
    });
  },
);
