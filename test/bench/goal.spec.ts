import { describe, expect, it } from 'vitest';
import { atLeastTimes, atMost, atMostMore, atMostTimes, judge, relate } from '../../bench/goal.js';

describe('relate', () => {
  it('gives the median of the ratios of the rounds when the machine was slow in one', () => {
    // The second round was ten times slower, for both.
    expect(relate('ratio', [200, 22, 180], [100, 10, 100])).toBe(2);
  });

  it('gives the median of the differences when asked for the difference', () => {
    expect(relate('difference', [5, 7, 9], [4, 4, 4])).toBe(3);
  });
});

describe('judge', () => {
  it.each([
    ['a ratio at its lower limit', atLeastTimes(2), 20, 10, { figure: 2, isMet: true, missedBy: 0 }],
    ['a ratio below it', atLeastTimes(2), 15, 10, { figure: 1.5, isMet: false, missedBy: 0.5 }],
    ['a ratio at its upper limit', atMostTimes(1.5), 15, 10, { figure: 1.5, isMet: true, missedBy: 0 }],
    ['a ratio above it', atMostTimes(1.5), 20, 10, { figure: 2, isMet: false, missedBy: 0.5 }],
    ['a difference within it', atMostMore(20), 25, 10, { figure: 15, isMet: true, missedBy: 0 }],
    ['a difference that is negative', atMostMore(20), 5, 10, { figure: -5, isMet: true, missedBy: 0 }],
    ['a difference beyond it', atMostMore(20), 40, 10, { figure: 30, isMet: false, missedBy: 10 }],
    ['a value, whatever the other is', atMost(100), 120, 1e9, { figure: 120, isMet: false, missedBy: 20 }],
  ])('says whether the goal is met when there is %s', (_, goal, ours, other, expected) => {
    expect(judge(goal, [ours], [other])).toEqual(expected);
  });
});
