import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AlignedTrigger, alignedOf } from './aligned-trigger.js';
import { CronTrigger } from './cron-trigger.js';
import { PeriodicTrigger } from './periodic-trigger.js';
import { OnceTrigger } from './trigger.js';

const periods = fc.integer({ min: 1, max: 4_294_967_294 });
const instants = fc.integer({ min: -8e12, max: 8e12 });

describe('AlignedTrigger', () => {
  it('is due at the next whole multiple of its period, wherever it begins', () => {
    fc.assert(
      fc.property(periods, instants, (periodMs, now) => {
        const due = new AlignedTrigger(periodMs).first(now)!;
        expect(Math.abs(due % periodMs)).toBe(0);
        expect(due - now).toBeGreaterThan(0);
        expect(due - now).toBeLessThanOrEqual(periodMs);
      }),
    );
  });

  it('latest stays on the grid and is the last due time that is not ahead', () => {
    fc.assert(
      fc.property(periods, instants, fc.nat({ max: 1e12 }), (periodMs, from, laterMs) => {
        const trigger = new AlignedTrigger(periodMs);
        const due = trigger.first(from)!;
        const latest = trigger.latest(due, due + laterMs);
        expect(latest.due).toBe(due + latest.passed * periodMs);
        expect(latest.due).toBeLessThanOrEqual(due + laterMs);
        expect(trigger.after(latest.due)).toBeGreaterThan(due + laterMs);
      }),
    );
  });

  it('comes to the same times when the clocks of a time zone change', () => {
    const hourly = new AlignedTrigger(3_600_000);
    const due = Date.parse('2026-03-29T00:00:00Z'); // Berlin goes from 01:59 to 03:00 an hour later
    expect([hourly.after(due), hourly.after(due + 3_600_000)]).toEqual([due + 3_600_000, due + 7_200_000]);
  });

  it('latest is the due time itself when that is ahead', () => {
    expect(new AlignedTrigger(10).latest(100, 50)).toEqual({ due: 100, passed: 0 });
  });

  it('is never due when its period ends beyond what a date can hold', () => {
    expect(new AlignedTrigger(9e15).first(0)).toBeUndefined();
    expect(new AlignedTrigger(5e15).after(5e15)).toBeUndefined();
  });

  it('has a period of whole milliseconds when it is given a fraction', () => {
    expect(new AlignedTrigger(0.4).periodMs).toBe(1);
    expect(new AlignedTrigger(1.5).after(3)).toBe(4);
  });

  it('tells what it is', () => {
    expect(new AlignedTrigger(1_800_000).description).toBe('every 30m, aligned to the clock');
  });
});

describe('alignedOf', () => {
  it('aligns a period, leaves a calendar as it is, and has nothing for a moment of the process', () => {
    const cron = new CronTrigger('* * * * *', 'UTC');
    expect(alignedOf(new PeriodicTrigger(1_000))).toEqual(new AlignedTrigger(1_000));
    expect(alignedOf(cron)).toBe(cron);
    expect(alignedOf(new OnceTrigger(1_000))).toBeUndefined();
  });
});
