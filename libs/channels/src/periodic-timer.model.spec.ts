import * as fc from 'fast-check';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { longTimeout, runs } from '../../../test/long-runs.js';
import { PeriodicTimer } from './index.js';
import { clocks, playTimer, timerPlan } from './periodic-timer-commands.fixture.js';

describe('a PeriodicTimer does what its model does, whatever is done to it', longTimeout, () => {
  it.each([
    ['a ManualClock', 40],
    ['a clock that is held up', 300],
  ])('P1 P2 P3 P4 P5 P8 P9 P11 P12 P14 P17 P19 P20 P21 P24 when it runs on %s', async (name, numRuns) => {
    const property = fc.asyncProperty(timerPlan, ([periodMs, plan]) =>
      playTimer(clocks[name]!(), periodMs, plan),
    );
    expect(await fc.assert(property, { numRuns: runs(numRuns) })).toBeUndefined();
  });

  it('P3 never ticks more often than periods have passed when time passes in fractions', async () => {
    const tenths = fc.integer({ min: 1, max: 30 });
    const steps = fc.array(tenths, { minLength: 1, maxLength: 20 });
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 20 }), tenths, steps, async (...plan) => {
      const [periodMs, origin, [pause, ...rest]] = plan;
      const clock = new ManualClock();
      await clock.advance(origin / 10);
      const timer = new PeriodicTimer(periodMs, { clock });
      await clock.advance(pause! / 10);
      const seen = { ticks: 0 };
      const loop = (async () => {
        while (await timer.waitForNextTick()) seen.ticks += 1;
      })();
      let passed = pause!;
      for (const step of rest) {
        await clock.advance(step / 10);
        passed += step;
        expect(seen.ticks).toBeLessThanOrEqual(Math.floor(passed / 10 / periodMs));
      }
      timer.dispose();
      await loop;
    });
    await fc.assert(property, { numRuns: runs(60) });
  });

  it('P3 a tick that comes up early by a rounding error is one tick', async () => {
    const clock = new ManualClock();
    await clock.advance(0.1);
    const timer = new PeriodicTimer(10, { clock });
    await clock.advance(1.1);
    const tick = timer.waitForNextTick();
    expect(clock.nextTimerAt).toBeLessThan(0.1 + 10);
    await clock.advance(9);
    expect(await tick).toBe(true);
    const next = timer.waitForNextTick();
    expect(clock.pendingTimers).toBe(1);
    timer.dispose();
    expect(await next).toBe(false);
  });
});
