import * as fc from 'fast-check';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;
const quarter = 15 * minute;

/** What the clocks on the walls of a zone show at an instant, written as if it were UTC. */
export type WallClock = (instant: number) => number;

/** Reads the clock off `Intl`, which knows nothing of luxon or of offsets. Those only ever change on a quarter. */
export function wallClock(timeZone: string): WallClock {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  const shown = new Map<number, number>();
  return (instant) => {
    const quarterAt = Math.floor(instant / quarter) * quarter;
    let wall = shown.get(quarterAt);
    if (wall === undefined) {
      wall = Date.parse(`${format.format(quarterAt).replace(' ', 'T')}Z`);
      shown.set(quarterAt, wall);
    }
    return wall + (instant - quarterAt);
  };
}

/** The instants of a year at which the clocks of a zone are changed. */
export function changesOf(wall: WallClock, year: number): number[] {
  const found: number[] = [];
  const isChanged = (from: number, until: number) => wall(until) - wall(from) !== until - from;
  for (let at = Date.UTC(year, 0, 1); at < Date.UTC(year + 1, 0, 1); at += day) {
    if (!isChanged(at, at + day)) continue;
    let from = at;
    while (!isChanged(from, from + quarter)) from += quarter;
    found.push(from + quarter);
  }
  return found;
}

interface Field {
  readonly text: string;
  readonly values: ReadonlySet<number>;
}

/** A cron expression, with what it means. */
export interface Expression {
  readonly text: string;
  readonly seconds: Field;
  readonly minutes: Field;
  readonly hours: Field;
  readonly days: Field;
  readonly months: Field;
  readonly weekdays: Field;
}

interface Unit {
  readonly low: number;
  readonly high: number;
  readonly names?: readonly string[];
}

const units = {
  seconds: { low: 0, high: 59 },
  minutes: { low: 0, high: 59 },
  hours: { low: 0, high: 23 },
  days: { low: 1, high: 31 },
  months: { low: 1, high: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  // Sunday is 0 and 7.
  weekdays: { low: 0, high: 7, names: 'sun mon tue wed thu fri sat'.split(' ') },
} as const satisfies Record<string, Unit>;

function stepped(first: number, last: number, step: number, text: string): Field {
  const values = Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, n) => first + n * step);
  return { text, values: new Set(values) };
}

function part({ low, high, names }: Unit): fc.Arbitrary<Field> {
  const value = fc.integer({ min: low, max: high });
  const step = fc.integer({ min: 1, max: high - low + 1 });
  const inOrder = fc.tuple(value, value).map(([a, b]) => (a < b ? [a, b] : [b, a]) as [number, number]);
  const word = (n: number): string => names?.[n - low] ?? String(n);
  return fc.oneof(
    value.map((n) => stepped(n, n, 1, String(n))),
    value.map((n) => stepped(n, n, 1, word(n))),
    inOrder.map(([a, b]) => stepped(a, b, 1, `${word(a)}-${word(b).toUpperCase()}`)),
    fc.tuple(inOrder, step).map(([[a, b], n]) => stepped(a, b, n, `${a}-${b}/${n}`)),
    fc.tuple(value, step).map(([a, n]) => stepped(a, high, n, `${a}/${n}`)),
    step.map((n) => stepped(low, high, n, `*/${n}`)),
  );
}

const every = ({ low, high }: Unit): Field => ({
  text: '*',
  values: new Set(Array.from({ length: high - low + 1 }, (_, n) => low + n)),
});

/** A star about as often as all else together: an expression in which everything is restricted is hardly ever due. */
function field(unit: Unit, stars = 1): fc.Arbitrary<Field> {
  const list = fc.array(part(unit), { minLength: 1, maxLength: 3 }).map((parts) => ({
    text: parts.map(({ text }) => text).join(),
    values: new Set(parts.flatMap(({ values }) => [...values])),
  }));
  return fc.oneof({ weight: stars, arbitrary: fc.constant(every(unit)) }, { weight: 1, arbitrary: list });
}

const nothingBut = (n: number): Field => ({ text: String(n), values: new Set([n]) });

/** Expressions of five fields and of six. */
export const expressions: fc.Arbitrary<Expression> = fc
  .record({
    seconds: fc.oneof(
      { weight: 2, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: field(units.seconds) },
    ),
    minutes: field(units.minutes),
    hours: field(units.hours),
    days: field(units.days, 3),
    months: field(units.months, 5),
    weekdays: field(units.weekdays, 3),
  })
  .map(({ seconds, ...fields }) => expressionOf({ seconds: seconds ?? nothingBut(0), ...fields }, seconds));

/** Expressions that are due at one time of the day at most, on days that are picky. */
export const sparseExpressions: fc.Arbitrary<Expression> = fc
  .record({
    minutes: fc.integer({ min: 0, max: 59 }).map(nothingBut),
    hours: fc.integer({ min: 0, max: 23 }).map(nothingBut),
    days: fc.oneof(field(units.days), fc.constantFrom(29, 30, 31).map(nothingBut)),
    months: fc.oneof(field(units.months), fc.constant(nothingBut(2))),
    weekdays: field(units.weekdays, 2),
  })
  .map((fields) => expressionOf({ seconds: nothingBut(0), ...fields }, undefined));

function expressionOf(fields: Omit<Expression, 'text'>, seconds: Field | undefined): Expression {
  const { minutes, hours, days, months, weekdays } = fields;
  const texts = [seconds, minutes, hours, days, months, weekdays].map((one) => one?.text);
  const sundays = new Set([...weekdays.values].map((n) => n % 7));
  return {
    ...fields,
    weekdays: { text: weekdays.text, values: sundays },
    text: texts.filter((text) => text !== undefined).join(' '),
  };
}

/** Whether a date is one of the expression's. As everywhere in cron, one of two restrictions of the day is enough. */
export function isOnDay({ days, months, weekdays }: Expression, local: number): boolean {
  const date = new Date(local);
  const isDay = days.values.has(date.getUTCDate());
  const isWeekday = weekdays.values.has(date.getUTCDay());
  const isEither = days.values.size < 31 && weekdays.values.size < 7;
  return months.values.has(date.getUTCMonth() + 1) && (isEither ? isDay || isWeekday : isDay && isWeekday);
}

/** Whether there is a date at all: 30 February is none. */
export function isPossible({ days, months, weekdays }: Expression): boolean {
  if (weekdays.values.size < 7) return true;
  const lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return [...months.values].some((month) => [...days.values].some((date) => date <= lengths[month - 1]!));
}

/**
 * When the expression is due after `from` and up to `until`, by looking at the clock on the wall minute by minute. By
 * the rules of CronTrigger: a time that is shown twice counts the first time, one that is never shown when the clock
 * has jumped over it; but an hour that starts with a star counts both times, and not what is never shown.
 */
export function* occurrences(expression: Expression, wall: WallClock, from: number, until: number) {
  const { seconds, minutes, hours } = expression;
  const isAllDay = hours.text.startsWith('*');
  const onDay = new Map<number, boolean>();
  const matches = (local: number): boolean => {
    const date = Math.floor(local / day);
    const [ofDay, ofHour] = [local - date * day, local - Math.floor(local / hour) * hour];
    if (!minutes.values.has(ofHour / minute) || !hours.values.has(Math.floor(ofDay / hour))) return false;
    if (!onDay.has(date)) onDay.set(date, isOnDay(expression, local));
    return onDay.get(date)!;
  };
  // Begun a good day before, to know what has been shown already.
  const begin = Math.floor(from / minute) * minute - 26 * hour;
  let [before, highest] = [wall(begin), wall(begin)];
  for (let instant = begin + minute; instant <= until; instant += minute) {
    const local = wall(instant);
    const isFirst = local > highest;
    let isEndOfGap = false;
    for (let unseen = before + minute; unseen < local; unseen += minute) isEndOfGap ||= matches(unseen);
    const due = matches(local) && (isAllDay || isFirst) ? [...seconds.values] : [];
    if (isEndOfGap && !isAllDay) due.push(0);
    for (const second of [...new Set(due)].toSorted((a, b) => a - b)) {
      const at = instant + second * 1_000;
      if (at > from && at <= until) yield at;
    }
    before = local;
    highest = Math.max(highest, local);
  }
}
