import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longTimeout, runs } from '../../../../test/long-runs.js';
import { gates, setup } from './tick-runner.fixture.js';

const options = fc.record({
  overlap: fc.constantFrom('skip', 'queue', 'parallel'),
  misfire: fc.constantFrom('fireOnce', 'skip'),
  every: fc.constantFrom(300, 1_000, 7_000),
});
const move = fc.record({
  kind: fc.constantFrom('advance', 'advance', 'holdUp', 'end', 'end'),
  ms: fc.oneof(fc.nat({ max: 15_000 }), fc.nat({ max: 1_500 })),
});

describe('TickRunner, however long its ticks and the pauses of the process are', longTimeout, () => {
  it('runs each due time once or counts it as missed by the next tick that runs', async () => {
    const plan = fc.tuple(options, fc.array(move, { maxLength: 20 }));
    const property = fc.asyncProperty(plan, async ([{ overlap, misfire, every }, moves]) => {
      const { open, work } = gates();
      const { clock, holdUp, runner, begun, begin, stop } = setup({ overlap, misfire, every }, work);
      begin();
      for (const { kind, ms } of moves) {
        if (kind === 'advance') await clock.advance(ms);
        else if (kind === 'holdUp') holdUp(ms);
        else open.shift()?.();
        expect(clock.pendingTimers).toBe(1);
        expect(runner.running).toBeLessThanOrEqual(overlap === 'parallel' ? Infinity : 1);
      }
      // To an end that all are at: the last tick is on time, and what came before it is over.
      for (let turn = 0; turn < 4; turn++) {
        for (const end of open.splice(0)) end();
        await clock.advance(every);
      }
      const accounted = begun.reduce((sum, { missed }) => sum + 1 + missed, 0);
      expect(accounted).toBe(Math.floor(begun.at(-1)!.at / every));
      expect(begun.map(({ count }) => count)).toEqual(begun.map((_, index) => index + 1));
      for (const end of open.splice(0)) end();
      await stop();
      expect([runner.running, clock.pendingTimers]).toEqual([0, 0]);
    });
    await fc.assert(property, { numRuns: runs(60) });
  });
});
