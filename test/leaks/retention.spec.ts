import { beforeAll, describe, expect, it } from 'vitest';
import type { Remainder } from './apps/measurement.js';
import { figuresOf, longestRunMs, nestMajors, times } from './leak-run.js';

/** The last of each kind may still be in a register or on the stack of whoever counts. */
const lastOnes = 4;

describe.each(nestMajors)('what the end of work leaves reachable on Nest $major', (nest) => {
  const measured = {} as { figures: readonly Remainder[] };

  beforeAll(async () => {
    measured.figures = await figuresOf<Remainder>(nest, 'retention', times(50, 10_000));
    for (const { what, times: count, left } of measured.figures)
      console.log(`retention on Nest ${nest.major}: ${left} left of ${count}: ${what}`);
  }, longestRunMs);

  it('is neither a context nor anything that a scope created', () => {
    const figures = measured.figures.filter(({ what }) => /^(context|instance)/.test(what));
    expect(figures.filter(({ times: count }) => count > lastOnes).length).toBeGreaterThan(12);
    expect(figures.filter(({ left }) => left > lastOnes)).toEqual([]);
  });

  // Known: a handle is the record of its task, work included.
  it('is neither the work nor what was handed to it when a handle is kept', () => {
    const figures = measured.figures.filter(({ what }) => /^(work|payload)/.test(what));
    expect(figures.filter(({ left }) => left > lastOnes)).toEqual([]);
  });
});
