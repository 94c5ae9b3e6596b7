import type { Duration } from 'nestjs-nightshift/channels';
import type { OptionsReader } from '../options-reader.js';

/** The states of tasks that have ended. */
export type EndState = 'completed' | 'dead' | 'discarded' | 'cancelled' | 'expired';

export const endStates = [
  'completed',
  'dead',
  'discarded',
  'cancelled',
  'expired',
] as const satisfies readonly EndState[];

/**
 * How many tasks of each state a queue in memory keeps after their end, whatever its `retention` says beyond that.
 */
export const memoryRetention = 1_000;

/** How long tasks of one state are kept after their end. The stricter of the two rules. */
export interface RetentionLimit {
  /** Not longer than this; `'infinite'` for no such limit. */
  age?: Duration | 'infinite' | undefined;
  /** Not more than the last so many; 0 keeps none. */
  count?: number | undefined;
}

/**
 * How long tasks that have ended are kept, for each state. What is left out keeps its default. A queue in memory keeps
 * never more than the last 1,000 of each state, and of its closures none that completed.
 */
export interface RetentionOptions {
  /** @default { age: '1d', count: 10_000 } */
  completed?: RetentionLimit | undefined;
  /** @default { age: '30d', count: 100_000 } */
  dead?: RetentionLimit | undefined;
  /** @default { age: '7d', count: 10_000 } */
  discarded?: RetentionLimit | undefined;
  /** @default { age: '7d', count: 10_000 } */
  cancelled?: RetentionLimit | undefined;
  /** @default { age: '7d', count: 10_000 } */
  expired?: RetentionLimit | undefined;
}

export interface ResolvedRetentionLimit {
  /** `Infinity` for no limit. */
  readonly ageMs: number;
  readonly count: number;
}

export type ResolvedRetention = Readonly<Record<EndState, ResolvedRetentionLimit>>;

const dayMs = 86_400_000;
const aWeek: ResolvedRetentionLimit = Object.freeze({ ageMs: 7 * dayMs, count: 10_000 });

export const retentionDefaults: ResolvedRetention = Object.freeze({
  completed: Object.freeze({ ageMs: dayMs, count: 10_000 }),
  dead: Object.freeze({ ageMs: 30 * dayMs, count: 100_000 }),
  discarded: aWeek,
  cancelled: aWeek,
  expired: aWeek,
});

export const retentionKeys = endStates satisfies readonly (keyof RetentionOptions)[];

export function readRetention(check: OptionsReader<RetentionOptions>): ResolvedRetention {
  const limitOf = (state: EndState): ResolvedRetentionLimit => {
    const { ageMs, count } = retentionDefaults[state];
    const limit = check.nested<RetentionLimit, ResolvedRetentionLimit>(state, ['age', 'count'], (nested) => ({
      ageMs: nested.timeoutMs('age', ageMs),
      count: nested.wholeNumber('count', count, 0),
    }));
    return Object.freeze(limit ?? retentionDefaults[state]);
  };
  return Object.freeze({
    completed: limitOf('completed'),
    dead: limitOf('dead'),
    discarded: limitOf('discarded'),
    cancelled: limitOf('cancelled'),
    expired: limitOf('expired'),
  });
}
