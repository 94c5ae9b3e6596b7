import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PeriodicTrigger } from './periodic-trigger.js';
import { OnceTrigger } from './trigger.js';

describe('PeriodicTrigger', () => {
  it('is first due after one period, and then after each', () => {
    const trigger = new PeriodicTrigger(10);
    expect(trigger.first(5)).toBe(15);
    expect(trigger.after(15)).toBe(25);
  });

  it('latest stays on the grid and is the last due time that is not ahead', () => {
    const cases = fc.tuple(fc.integer({ min: 1, max: 1e6 }), fc.nat({ max: 1e9 }), fc.nat({ max: 1e9 }));
    fc.assert(
      fc.property(cases, ([periodMs, due, lateMs]) => {
        const latest = new PeriodicTrigger(periodMs).latest(due, due + lateMs);
        expect(latest.due).toBe(due + latest.passed * periodMs);
        expect(due + lateMs - latest.due).toBeGreaterThanOrEqual(0);
        expect(due + lateMs - latest.due).toBeLessThan(periodMs);
      }),
    );
  });

  it('latest is the due time itself when that is ahead', () => {
    expect(new PeriodicTrigger(10).latest(100, 50)).toEqual({ due: 100, passed: 0 });
  });
});

describe('OnceTrigger', () => {
  it('is due once, after its delay', () => {
    const trigger = new OnceTrigger(10);
    expect(trigger.first(5)).toBe(15);
    expect(trigger.after()).toBeUndefined();
    expect(trigger.latest(15)).toEqual({ due: 15, passed: 0 });
  });
});
