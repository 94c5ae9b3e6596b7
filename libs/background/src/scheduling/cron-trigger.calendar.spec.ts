import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longTimeout, runs } from '../../../../test/long-runs.js';
import {
  changesOf,
  day,
  expressions,
  hour,
  isOnDay,
  isPossible,
  minute,
  occurrences,
  sparseExpressions,
  wallClock,
  type Expression,
} from './cron-reference.fixture.js';
import { CronTrigger } from './cron-trigger.js';

/** Zones with rules of their own, and a year in which each was seen at it. */
const zones: readonly (readonly [string, number, number])[] = [
  ['UTC', 2026, 0],
  ['Europe/Berlin', 2026, 2],
  ['America/New_York', 2026, 2],
  ['America/New_York', 2037, 2],
  ['Europe/Dublin', 2025, 2],
  ['Australia/Sydney', 2026, 2],
  ['Australia/Lord_Howe', 2026, 2], // half an hour
  ['America/Sao_Paulo', 2018, 2], // at midnight
  ['America/Santiago', 2026, 2], // at midnight
  ['America/Havana', 2026, 2], // at midnight, and back to it
  ['Asia/Kathmandu', 2026, 0],
  ['Asia/Kathmandu', 1985, 1], // by a quarter
  ['Asia/Tehran', 2022, 2], // at midnight
  ['Africa/Cairo', 2026, 2],
  ['Africa/Cairo', 2014, 4], // and not in Ramadan
  ['Africa/Casablanca', 2026, 2], // backwards in Ramadan
  ['Antarctica/Troll', 2026, 2], // two hours
  ['Pacific/Apia', 2011, 3], // a day that never was
  ['Pacific/Kwajalein', 1993, 1], // likewise
  ['America/Caracas', 2016, 1], // for good
  ['Asia/Pyongyang', 2018, 1], // for good
];
const walls = new Map(zones.map(([zone]) => [zone, wallClock(zone)]));
const changes = zones.map(([zone, year]) => changesOf(walls.get(zone)!, year));

const iso = (instant: number): string => new Date(instant).toISOString();

/** All that the trigger is due at after `from` and up to `until`, or the first few. */
function dueIn(trigger: CronTrigger, from: number, until: number, atMost: number): number[] {
  const found: number[] = [];
  for (let due = trigger.after(from); due <= until && found.length < atMost; due = trigger.after(due))
    found.push(due);
  return found;
}

function first(count: number, instants: Iterable<number>): number[] {
  const found: number[] = [];
  for (const instant of instants) {
    if (found.length === count) break;
    found.push(instant);
  }
  return found;
}

/** The trigger of an expression; `undefined` when it is refused, as it must be when it is never due. */
function triggerOf(expression: Expression, zone: string): CronTrigger | undefined {
  if (isPossible(expression)) return new CronTrigger(expression.text, zone);
  expect(() => new CronTrigger(expression.text, zone)).toThrow('No execution date was found');
  return undefined;
}

/** Somewhere around a change of the clocks, or in an ordinary week. */
const places = fc
  .record({
    which: fc.nat({ max: zones.length - 1 }),
    change: fc.nat({ max: 3 }),
    before: fc.oneof(
      fc.integer({ min: -5 * hour, max: 30 * hour }),
      fc.integer({ min: -3 * hour, max: 3 * hour }),
      fc.integer({ min: -100, max: 100 }).map((seconds) => seconds * 1_000),
    ),
    isFraction: fc.boolean(),
  })
  .map(({ which, change, before, isFraction }) => {
    const [zone, year] = zones[which]!;
    const near = changes[which]!.at(change % Math.max(1, changes[which]!.length)) ?? Date.UTC(year, 5, 15);
    return { zone, from: near - (isFraction ? before : Math.floor(before / 1_000) * 1_000) };
  });

/** The ends of months, and of February above all. */
const ends = fc
  .record({
    zone: fc.constantFrom(...walls.keys()),
    year: fc.constantFrom(2000, 2024, 2026, 2028, 2096, 2100, 2104),
    month: fc.oneof(fc.constant(1), fc.nat({ max: 11 })),
    before: fc.integer({ min: 0, max: 3 * day }),
  })
  .map(({ zone, year, month, before }) => ({ zone, from: Date.UTC(year, month + 1, 1) + day - before }));

const length = 60 * hour;

describe('CronTrigger against the clock on the wall', longTimeout, () => {
  it('knows of each change of the clocks that it is tested around', () => {
    expect(changes.map(({ length }) => length)).toEqual(zones.map(([, , count]) => count));
  });

  it.each([
    ['around every change of clocks', places, 200],
    ['around the ends of months and leap days', ends, 60],
  ])('is due exactly when the rules say %s', (_, around, numRuns) => {
    const property = fc.property(around, expressions, ({ zone, from }, expression) => {
      const trigger = triggerOf(expression, zone);
      if (trigger === undefined) return;
      const expected = first(6, occurrences(expression, walls.get(zone)!, from, from + length));
      const found = dueIn(trigger, from, from + length, 6);
      expect(found.map(iso)).toEqual(expected.map(iso));
    });
    expect(fc.assert(property, { numRuns: runs(numRuns) })).toBeUndefined();
  });

  it('is due on exactly the days that the rules say over many years, leap years or none', () => {
    const begin = fc.integer({ min: Date.UTC(1996, 0) / minute, max: Date.UTC(2110, 0) / minute });
    const property = fc.property(sparseExpressions, begin, (expression, from) => {
      const trigger = triggerOf(expression, 'UTC');
      if (trigger === undefined) return;
      const time = [...expression.hours.values][0]! * hour + [...expression.minutes.values][0]! * minute;
      const expected: number[] = [];
      for (let at = Math.floor((from * minute) / day) * day + time; expected.length < 4; at += day)
        if (at > from * minute && isOnDay(expression, at)) expected.push(at);
      expect(dueIn(trigger, from * minute, expected.at(-1)!, 5).map(iso)).toEqual(expected.map(iso));
    });
    expect(fc.assert(property, { numRuns: runs(80) })).toBeUndefined();
  });

  it('latest gives the last due time and counts those before it, around every change of clocks', () => {
    const property = fc.property(
      places,
      expressions,
      fc.nat({ max: length }),
      (place, expression, lateMs) => {
        const trigger = triggerOf(expression, place.zone);
        if (trigger === undefined) return;
        const until = place.from + length;
        const all = first(100, occurrences(expression, walls.get(place.zone)!, place.from, until));
        if (all.length === 0) return;
        const now = Math.min(all[0]! + lateMs, all.length === 100 ? all[99]! : until);
        const passed = all.filter((due) => due <= now).length - 1;
        expect(trigger.latest(all[0]!, now)).toEqual({ due: all[passed]!, passed });
      },
    );
    expect(fc.assert(property, { numRuns: runs(30) })).toBeUndefined();
  });
});
