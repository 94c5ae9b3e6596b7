import { describe, expect, it } from 'vitest';
import type { HeapLevels } from './apps/measurement.js';
import { figuresOf, longestRunMs, nestMajors, times, type NestMajor } from './leak-run.js';

/** How much the heap may have grown between a tenth of the work and all of it: tables of V8 that double once. */
const onceBytes = 1_000_000;
/** How much it may have grown if it grew in every part alike, which is what a leak does. */
const steadyBytes = 256_000;

/** The growth from a tenth of the work to all of it. */
function growthOf({ levels }: HeapLevels): number {
  return levels.at(-1)! - levels[0]!;
}

/** The growth if every part had grown like the one that grew least. */
function steadyGrowthOf({ levels }: HeapLevels): number {
  const growths = levels.slice(1).map((level, part) => level - levels[part]!);
  return growths.length * Math.min(...growths);
}

function isLeak(figure: HeapLevels): boolean {
  return growthOf(figure) > onceBytes || steadyGrowthOf(figure) > steadyBytes;
}

async function measure(nest: NestMajor, scenario: string, count: number): Promise<readonly HeapLevels[]> {
  const figures = await figuresOf<HeapLevels>(nest, scenario, count);
  for (const { what, times: done, levels } of figures) {
    const megabytes = levels.map((level) => (level / 1e6).toFixed(2)).join(', ');
    console.log(
      `${scenario} on Nest ${nest.major}: heap in MB after 10, 40, 70, 100 % of ${done}: ${megabytes}: ${what}`,
    );
  }
  return figures;
}

describe.concurrent('the heap', { timeout: longestRunMs }, () => {
  const [nest12] = nestMajors;

  it('does not grow with waits on channels and timers, answered or given up', async () => {
    const figures = await measure(nest12, 'heap-of-channels', times(6_000, 1_000_000));
    expect(figures.length).toBeGreaterThan(9);
    expect(figures.filter(isLeak)).toEqual([]);
  });

  it('does not grow with tasks, however they end', async () => {
    // A tenth of them is what a queue keeps of each state, so that it keeps no more from then on.
    const figures = await measure(nest12, 'heap-of-tasks', times(10_000, 1_000_000));
    expect(figures.length).toBeGreaterThan(12);
    expect(figures.filter(isLeak)).toEqual([]);
  });

  // Known: each such wait leaves a weak reference with the queue and one with the signal, as AbortSignal.any() does.
  it('does not grow with producers that wait for space under a signal', async () => {
    const figures = await measure(nest12, 'heap-of-blocked-producers', times(6_000, 1_000_000));
    expect(figures.filter(isLeak)).toEqual([]);
  });

  it('does not grow with ticks, restarts, scopes and listeners', async () => {
    const figures = await measure(nest12, 'heap-of-ticks', times(5_000, 1_000_000));
    expect(figures.length).toBeGreaterThan(12);
    expect(figures.filter(isLeak)).toEqual([]);
  });
});
