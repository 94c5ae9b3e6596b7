import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CronTrigger, DateTrigger } from './cron-trigger.js';

const at = (text: string): number => Date.parse(text);
const iso = (instant: number): string => new Date(instant).toISOString();

/** The first few instants at which an expression is due after `from`. */
function dueAfter(from: string, count: number, expression: string, zone?: string | number): string[] {
  const trigger = new CronTrigger(expression, zone);
  const found: string[] = [];
  for (let due = at(from); found.length < count; found.push(iso(due))) due = trigger.after(due);
  return found;
}

describe('CronTrigger', () => {
  it('first and after are strictly later than what they are given', () => {
    const trigger = new CronTrigger('0 3 * * *', 'UTC');
    expect(iso(trigger.first(at('2026-01-01T02:59:59.999Z')))).toBe('2026-01-01T03:00:00.000Z');
    expect(iso(trigger.first(at('2026-01-01T03:00:00Z')))).toBe('2026-01-02T03:00:00.000Z');
    expect(iso(trigger.after(at('2026-01-01T03:00:00.500Z')))).toBe('2026-01-02T03:00:00.000Z');
  });

  it('reads seconds when there are six fields', () => {
    expect(dueAfter('2026-01-01T00:00:00Z', 3, '*/20 * * * * *', 'UTC')).toEqual([
      '2026-01-01T00:00:20.000Z',
      '2026-01-01T00:00:40.000Z',
      '2026-01-01T00:01:00.000Z',
    ]);
  });

  it.each([
    ['@yearly', '2027-01-01T00:00:00.000Z'],
    ['@monthly', '2026-02-01T00:00:00.000Z'],
    ['@weekly', '2026-01-04T00:00:00.000Z'],
    ['@daily', '2026-01-02T00:00:00.000Z'],
    ['@hourly', '2026-01-01T01:00:00.000Z'],
    ['@minutely', '2026-01-01T00:01:00.000Z'],
    ['@secondly', '2026-01-01T00:00:01.000Z'],
    ['@weekdays', '2026-01-02T00:00:00.000Z'],
    ['@WEEKENDS', '2026-01-03T00:00:00.000Z'],
    ['0 12 * feb mon-fri', '2026-02-02T12:00:00.000Z'],
  ])('%s is next due at %s', (expression, expected) => {
    expect(dueAfter('2026-01-01T00:00:00Z', 1, expression, 'UTC')).toEqual([expected]);
  });

  it('waits for the next leap year when it is due on 29 February only', () => {
    expect(dueAfter('2026-01-01T00:00:00Z', 2, '0 0 29 2 *', 'UTC')).toEqual([
      '2028-02-29T00:00:00.000Z',
      '2032-02-29T00:00:00.000Z',
    ]);
  });

  it('works when the clock in use is far ahead of the machine or behind it', () => {
    expect(dueAfter('2099-12-31T12:00:00Z', 1, '0 3 * * 1', 'UTC')).toEqual(['2100-01-04T03:00:00.000Z']);
    expect(dueAfter('1970-01-01T00:00:00Z', 1, '0 3 * * 1', 'UTC')).toEqual(['1970-01-05T03:00:00.000Z']);
  });

  it('takes minutes east of UTC, and the zone of the machine when none is given', () => {
    expect(dueAfter('2026-01-01T00:00:00Z', 1, '0 12 * * *', 330)).toEqual(['2026-01-01T06:30:00.000Z']);
    const local = new Date(new CronTrigger('0 12 * * *').first(at('2026-01-01T00:00:00Z')));
    expect([local.getHours(), local.getMinutes()]).toEqual([12, 0]);
  });

  it.each([
    ['0 3 * *', 'Too few fields'],
    ['0 3 * * * * *', 'Too many fields'],
    ['60 * * * *', 'out of range'],
    ['*/0 * * * *', 'step of zero'],
    ['noon', 'Unknown alias'],
    ['0 0 30 2 *', 'No execution date was found'],
  ])('refuses %s at construction: %s', (expression, because) => {
    expect(() => new CronTrigger(expression)).toThrow(because);
  });

  it('refuses a zone that does not exist', () => {
    expect(() => new CronTrigger('0 3 * * *', 'Europe/Berlln')).toThrow(/timeZone must be an IANA time zone/);
  });

  it.each([
    ['America/New_York', '30 2 * * *', '2026-03-07T12:00:00Z', '2026-03-08T07:00:00.000Z'],
    ['Europe/Berlin', '15 2 * * *', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00.000Z'],
    ['Australia/Lord_Howe', '10 2 * * *', '2026-10-03T12:00:00Z', '2026-10-03T15:30:00.000Z'],
    ['Africa/Cairo', '30 0 * * *', '2026-04-23T12:00:00Z', '2026-04-23T22:00:00.000Z'],
  ])('is due when the gap ends, in %s, when its local time does not exist', (zone, expression, from, due) => {
    expect(dueAfter(from, 1, expression, zone)).toEqual([due]);
  });

  it('is due once when several of its local times fall into one gap', () => {
    expect(dueAfter('2026-03-08T00:00:00Z', 2, '0,20,40 2 * * *', 'America/New_York')).toEqual([
      '2026-03-08T07:00:00.000Z',
      '2026-03-09T06:00:00.000Z',
    ]);
  });

  it.each([
    [
      'America/New_York',
      '30 1 * * *',
      '2026-10-31T12:00:00Z',
      '2026-11-01T05:30:00.000Z',
      '2026-11-02T06:30:00.000Z',
    ],
    [
      'Europe/Berlin',
      '30 2 * * *',
      '2026-10-24T12:00:00Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ],
    [
      'Australia/Sydney',
      '30 2 * * *',
      '2026-04-04T12:00:00Z',
      '2026-04-04T15:30:00.000Z',
      '2026-04-05T16:30:00.000Z',
    ],
  ])(
    'is due the first time, in %s, when its local time comes twice',
    (zone, expression, from, first, second) => {
      expect(dueAfter(from, 2, expression, zone)).toEqual([first, second]);
    },
  );

  it('is due in both passes, and not in a gap, when its hour is a star', () => {
    expect(dueAfter('2026-11-01T05:15:00Z', 3, '30 * * * *', 'America/New_York')).toEqual([
      '2026-11-01T05:30:00.000Z',
      '2026-11-01T06:30:00.000Z',
      '2026-11-01T07:30:00.000Z',
    ]);
    expect(dueAfter('2026-03-08T06:15:00Z', 2, '30 * * * *', 'America/New_York')).toEqual([
      '2026-03-08T06:30:00.000Z',
      '2026-03-08T07:30:00.000Z',
    ]);
  });

  it('latest gives the last due time and how many came before it', () => {
    const trigger = new CronTrigger('* * * * *', 'UTC');
    const due = at('2026-01-01T00:01:00Z');
    expect(trigger.latest(due, due)).toEqual({ due, passed: 0 });
    expect(trigger.latest(due, due + 150_000)).toEqual({ due: due + 120_000, passed: 2 });
  });

  it('latest stops counting when very many were passed over', () => {
    const trigger = new CronTrigger('* * * * * *', 'UTC');
    const due = at('2026-01-01T00:00:00Z');
    const now = due + 86_400_000;
    expect(trigger.latest(due, now)).toEqual({ due: now, passed: 1_000 });
  });
});

describe('DateTrigger', () => {
  it('is due once when its date is ahead, never when it is past', () => {
    const trigger = new DateTrigger(1_000);
    expect(trigger.first(999)).toBe(1_000);
    expect(trigger.first(1_000)).toBeUndefined();
    expect(trigger.after()).toBeUndefined();
    expect(trigger.latest(1_000)).toEqual({ due: 1_000, passed: 0 });
  });
});

// -- against a computation that knows nothing of cron, luxon or offsets: it reads clocks off Intl, minute by minute ----

const minute = 60_000;
const quarter = 15 * minute;

/** What a clock on the wall shows at an instant, written as if it were UTC. Offsets only ever change on a quarter. */
function wallClock(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const shown = new Map<number, number>();
  return (instant) => {
    const quarterAt = Math.floor(instant / quarter) * quarter;
    const known = shown.get(quarterAt);
    if (known !== undefined) return known + (instant - quarterAt);
    const parts = Object.fromEntries(
      format.formatToParts(quarterAt).map(({ type, value }) => [type, Number(value)]),
    ) as Record<'year' | 'month' | 'day' | 'hour' | 'minute', number>;
    const wall = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute);
    shown.set(quarterAt, wall);
    return wall + (instant - quarterAt);
  };
}

interface Fields {
  readonly minutes: readonly number[];
  /** `undefined` for a star. */
  readonly hours: readonly number[] | undefined;
  readonly weekdays: readonly number[];
}

function bruteForce(
  fields: Fields,
  wall: (instant: number) => number,
  from: number,
  until: number,
): number[] {
  const matches = (local: number): boolean => {
    const date = new Date(local);
    const isHour = fields.hours === undefined || fields.hours.includes(date.getUTCHours());
    return (
      isHour && fields.minutes.includes(date.getUTCMinutes()) && fields.weekdays.includes(date.getUTCDay())
    );
  };
  const found: number[] = [];
  for (let instant = (Math.floor(from / minute) + 1) * minute; instant <= until; instant += minute) {
    const [before, local] = [wall(instant - minute), wall(instant)];
    if (fields.hours === undefined) {
      if (matches(local)) found.push(instant);
      continue;
    }
    const isSecondPass = [30, 60, 120].some((back) => wall(instant - back * minute) === local);
    let isDue = matches(local) && !isSecondPass;
    for (let skipped = before + minute; skipped < local; skipped += minute) isDue ||= matches(skipped);
    if (isDue) found.push(instant);
  }
  return found;
}

const walls = new Map(
  [
    'America/New_York',
    'Europe/Berlin',
    'Australia/Lord_Howe',
    'Australia/Sydney',
    'Africa/Cairo',
    'America/Santiago',
    'Antarctica/Troll',
    'Asia/Kolkata',
  ].map((zone) => [zone, wallClock(zone)]),
);

/** The hours of 2026 in whose course clocks are changed. */
function changesOf2026(wall: (instant: number) => number): number[] {
  const [begin, hours] = [at('2026-01-01T00:00:00Z'), 365 * 24];
  const instants = Array.from({ length: hours }, (_, hour) => begin + hour * 60 * minute);
  return instants.filter((instant) => wall(instant + 60 * minute) - wall(instant) !== 60 * minute);
}

const changes = new Map([...walls].map(([zone, wall]) => [zone, changesOf2026(wall)]));

const someOf = (values: readonly number[]) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });
const upTo = (end: number) => Array.from({ length: end }, (_, index) => index);

describe('CronTrigger against the clock on the wall', () => {
  it('covers zones that change their clocks twice a year, and one that never does', () => {
    expect([...changes.values()].map(({ length }) => length)).toEqual([2, 2, 2, 2, 2, 2, 2, 0]);
  });

  it('is due exactly when the rules say, around every change of clocks', () => {
    const cases = fc.record({
      zone: fc.constantFrom(...walls.keys()),
      change: fc.nat({ max: 1 }),
      before: fc.integer({ min: -4 * 60 * minute, max: 30 * 60 * minute }),
      minutes: fc.oneof(someOf(upTo(60)), fc.constant(upTo(60)), fc.constant([0, 15, 30, 45])),
      hours: fc.option(fc.oneof(someOf(upTo(5)), someOf(upTo(24))), { nil: undefined }),
      weekdays: fc.oneof(fc.constant(upTo(7)), someOf(upTo(7))),
    });
    fc.assert(
      fc.property(cases, ({ zone, change, before, ...fields }) => {
        const from = (changes.get(zone)![change] ?? at('2026-06-15T00:00:00Z')) - before;
        const until = from + 60 * 60 * minute;
        const expected = bruteForce(fields, walls.get(zone)!, from, until).slice(0, 4);
        const { minutes, hours, weekdays } = fields;
        const trigger = new CronTrigger(
          `${minutes.join()} ${hours?.join() ?? '*'} * * ${weekdays.join()}`,
          zone,
        );
        const found: number[] = [];
        for (let due = from; found.length < 4; found.push(due)) {
          due = trigger.after(due);
          if (due > until) break;
        }
        expect(found.map(iso)).toEqual(expected.map(iso));
      }),
      { numRuns: 400 },
    );
  });
});
