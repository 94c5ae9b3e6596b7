import { describe, expect, it } from 'vitest';
import type { Remainder } from './apps/measurement.js';
import { figuresOf, longestRunMs, nestMajors, times } from './leak-run.js';

const [nest12] = nestMajors;

function print(scenario: string, figures: readonly Remainder[]): void {
  for (const { what, times: count, left } of figures)
    console.log(`${scenario}: ${left} left of ${count}: ${what}`);
}

describe.concurrent('what is left when the waiting is over', { timeout: longestRunMs }, () => {
  it('is no listener on a signal that many have waited under', async () => {
    const figures = await figuresOf<Remainder>(nest12, 'listeners', times(8_000, 100_000));
    print('listeners', figures);
    expect(figures.length).toBeGreaterThan(20);
    expect(figures.filter(({ left }) => left > 0)).toEqual([]);
  });

  it('is no armed timer, and the process ends by itself', async () => {
    const figures = await figuresOf<Remainder>(nest12, 'timers', times(5_000, 100_000));
    print('timers', figures);
    expect(figures.length).toBeGreaterThan(8);
    expect(figures.filter(({ left }) => left > 0)).toEqual([]);
  });
});
