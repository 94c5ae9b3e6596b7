import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inPairs, median, quantile } from '../../bench/statistics.js';

const figures = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 });

describe('median', () => {
  it.each([
    [[3], 3],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('has as many figures below as above when there are many', () => {
    fc.assert(
      fc.property(figures, (values) => {
        const middle = median(values);
        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });

  it('leaves the figures in their order when it sorts', () => {
    const values = Object.freeze([3, 1, 2]);
    expect(median(values)).toBe(2);
    expect(values).toEqual([3, 1, 2]);
  });

  it('throws when there are no figures', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('quantile', () => {
  it.each([
    [0, 1],
    [0.5, 50],
    [0.99, 99],
    [1, 100],
  ])('%d of 1 to 100 is %d', (share, expected) => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(quantile(values, share)).toBe(expected);
  });

  it('is a figure that at least its share does not exceed when there are many', () => {
    fc.assert(
      fc.property(figures, fc.double({ noNaN: true, min: 0, max: 1 }), (values, share) => {
        const found = quantile(values, share);
        expect(values).toContain(found);
        expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual(share * values.length);
      }),
    );
  });

  it('throws when there are no figures', () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

describe('inPairs', () => {
  it('combines round by round when both have as many', () => {
    expect(inPairs([6, 8], [3, 2], (ours, other) => ours / other)).toEqual([2, 4]);
  });

  it('throws when one has more rounds', () => {
    expect(() => inPairs([1, 2], [1], Math.max)).toThrow('2 rounds cannot be paired with 1.');
  });
});
