import { inPairs, median } from './statistics.js';

/** What a figure must be: ours divided by the other's, ours less the other's, or ours itself. */
export interface Goal {
  readonly of: 'ratio' | 'difference' | 'value';
  readonly is: 'atLeast' | 'atMost';
  readonly limit: number;
}

export interface Judgement {
  readonly figure: number;
  readonly isMet: boolean;
  /** How far the figure is on the wrong side of the limit; 0 when it is met. */
  readonly missedBy: number;
}

/** Ours is at least so many times the other's: for speeds. */
export const atLeastTimes = (limit: number): Goal => ({ of: 'ratio', is: 'atLeast', limit });
/** Ours is at most so many times the other's: for costs. */
export const atMostTimes = (limit: number): Goal => ({ of: 'ratio', is: 'atMost', limit });
/** Ours is at most so much more than the other's, in the row's unit. */
export const atMostMore = (limit: number): Goal => ({ of: 'difference', is: 'atMost', limit });
/** Ours is at most this, in the row's unit, whatever others are. */
export const atMost = (limit: number): Goal => ({ of: 'value', is: 'atMost', limit });

const relations = {
  ratio: (ours: number, other: number): number => ours / other,
  difference: (ours: number, other: number): number => ours - other,
  value: (ours: number): number => ours,
} as const;

/** How the figures of two contenders relate: the median of what the rounds say, each for itself. */
export function relate(by: Goal['of'], ours: readonly number[], other: readonly number[]): number {
  return median(inPairs(ours, other, relations[by]));
}

/** @param other the figures that ours are held against; of no matter for a goal of the value itself */
export function judge(goal: Goal, ours: readonly number[], other: readonly number[]): Judgement {
  const figure = relate(goal.of, ours, other);
  const isMet = goal.is === 'atLeast' ? figure >= goal.limit : figure <= goal.limit;
  return { figure, isMet, missedBy: isMet ? 0 : Math.abs(figure - goal.limit) };
}
