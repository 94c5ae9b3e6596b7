import { describe, expect, it } from 'vitest';
import { Timeline } from '../../bench/timeline.js';

const rounded = (figures: readonly number[]): number[] =>
  figures.map((figure) => Math.round(figure * 10) / 10);

describe('Timeline', () => {
  it('measures each tick from its own place when it keeps to a grid', () => {
    const timeline = new Timeline(2, 100, true);
    for (const now of [100.5, 102.1, 104.9]) timeline.add(now);
    expect(rounded(timeline.lateness)).toEqual([0.5, 0.1, 0.9]);
    expect(timeline.offsets).toEqual(timeline.lateness);
  });

  it('leaves out the places that were passed over when ticks were missed', () => {
    const timeline = new Timeline(2, 100, true);
    timeline.add(100.5);
    timeline.add(106.3, 2);
    expect(rounded(timeline.lateness)).toEqual([0.5, 0.3]);
  });

  it('measures each tick from the one before, and adds up the drift, when it keeps no grid', () => {
    const timeline = new Timeline(2, 100, false);
    for (const now of [100.5, 103, 105.5]) timeline.add(now);
    expect(rounded(timeline.lateness)).toEqual([0.5, 0.5, 0.5]);
    expect(rounded(timeline.offsets)).toEqual([0.5, 1, 1.5]);
  });
});
