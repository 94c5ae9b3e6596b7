import { CronTime } from 'cron';
import { ArgumentOutOfRangeError } from 'nestjs-nightshift/channels';
import { FixedOffsetZone, IANAZone, SystemZone, type Zone } from 'luxon';
import type { Trigger } from './trigger.js';

export const timeZoneExpected = "an IANA time zone, such as 'Europe/Berlin'";

/**
 * Beyond this many occurrences passed over at once they are no longer counted one by one: each takes up to two
 * milliseconds, and after a downtime many services may look back at the same time.
 */
const countedAtMost = 100;
const dayMs = 86_400_000;
/** After 400 years the calendar repeats, weekdays included. */
const calendarCycleMs = 146_097 * dayMs;

/**
 * Due by the calendar. The dialect is that of the `cron` package, hence of `@nestjs/schedule`: five fields, or six with
 * seconds first, names of months and days, and presets such as `@daily`.
 *
 * When clocks change: an occurrence whose local time does not exist is due when the gap ends; one whose local time
 * comes twice is due the first time. An expression whose hour starts with `*` means "all through the day", so it is due
 * in both passes of a repeated hour, and what falls into a gap is left out.
 */
export class CronTrigger implements Trigger {
  readonly axis = 'wall';
  /** Matches the fields in UTC, where every local time exists once; zones are this class's business. */
  private readonly fields: CronTime;
  private readonly zone: Zone;
  private readonly allDay: boolean;
  readonly description: string;

  /**
   * @param zone an IANA name, or minutes east of UTC; by default the machine's own time zone
   * @throws ArgumentOutOfRangeError when there is no such zone
   * @throws Error when the expression cannot be read, or nothing ever matches
   */
  constructor(expression: string, zone?: string | number) {
    this.fields = new CronTime(expression, 'UTC');
    this.zone = toZone(zone);
    this.description = `cron ${expression.trim()} (${this.zone.name})`;
    this.allDay = isAllDay(expression.trim().toLowerCase());
    this.nextLocal(Date.now()); // fails now rather than at the first tick
  }

  first(now: number): number {
    return this.after(now);
  }

  after(due: number): number {
    const repeated = this.allDay ? this.nextInRepeatedHour(due) : undefined;
    let local = due + this.offset(due);
    for (;;) {
      local = this.nextLocal(local);
      const { instant, noneBefore } = this.toInstant(local, due);
      if (instant !== undefined) return repeated !== undefined && repeated < instant ? repeated : instant;
      // Past what is never due at one go: it may be an hour in which each second matches.
      local = Math.max(local, noneBefore - 1);
    }
  }

  latest(due: number, now: number): { due: number; passed: number } {
    let latest = due;
    for (let passed = 0; passed < countedAtMost; passed += 1) {
      const next = this.after(latest);
      if (next > now) return { due: latest, passed };
      latest = next;
    }
    return { due: this.lastBetween(latest, now), passed: countedAtMost };
  }

  /** The last match up to `now`, given one before it. */
  private lastBetween(match: number, now: number): number {
    let [low, high] = [match - 1, now];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.after(middle) <= now) low = middle;
      else high = middle;
    }
    return this.after(low);
  }

  /** The next match after a local time. Local times are written as if they were UTC. */
  private nextLocal(local: number): number {
    // `cron` gives up eight years after the machine's own date, and the clock in use may be ahead of that.
    const ahead = Math.ceil(Math.max(0, local - Date.now()) / calendarCycleMs) * calendarCycleMs;
    return this.fields.getNextDateFrom(new Date(local - ahead), 'UTC').toMillis() + ahead;
  }

  /** The instant after `due` at which a local time is due; or else the local time up to which none is. */
  private toInstant(local: number, due: number): { instant?: number; noneBefore: number } {
    const [before, after] = [this.offset(local - dayMs), this.offset(local + dayMs)];
    const instants = [local - before, local - after].filter(
      (instant) => instant + this.offset(instant) === local,
    );
    if (instants.length === 0) {
      const end = this.endOfGap(local, before, after);
      return this.allDay ? { noneBefore: end + after } : { instant: end, noneBefore: local };
    }
    const instant = this.allDay ? instants.find((one) => one > due) : Math.min(...instants);
    if (instant !== undefined && instant > due) return { instant, noneBefore: local };
    // In the second pass of a repeated hour, and due in the first only.
    return { noneBefore: this.changeBetween(instants[0]!, instants.at(-1)!) + before };
  }

  private endOfGap(local: number, before: number, after: number): number {
    return this.changeBetween(local - Math.max(before, after) - 1, local - Math.min(before, after) + 1);
  }

  /** The first match in the second pass of an hour that is repeated within the next day. */
  private nextInRepeatedHour(due: number): number | undefined {
    const [before, after] = [this.offset(due), this.offset(due + dayMs)];
    if (after >= before) return undefined;
    const change = this.changeBetween(due, due + dayMs);
    return this.nextLocal(change + after - 1) - after;
  }

  /** The first instant in the interval at which another offset holds than at its beginning. */
  private changeBetween(from: number, to: number): number {
    const before = this.offset(from);
    let [low, high] = [from, to];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offset(middle) === before) low = middle;
      else high = middle;
    }
    return high;
  }

  private offset(instant: number): number {
    return this.zone.offset(instant) * 60_000;
  }
}

/** Due once, at a date. */
export class DateTrigger implements Trigger {
  readonly axis = 'wall';

  readonly description: string;

  constructor(private readonly date: number) {
    this.description = `once, at ${new Date(date).toISOString()}`;
  }

  first(now: number): number | undefined {
    return this.date > now ? this.date : undefined;
  }

  after(): undefined {
    return undefined;
  }

  latest(due: number): { due: number; passed: number } {
    return { due, passed: 0 };
  }
}

function isAllDay(expression: string): boolean {
  const hour = expression.split(/\s+/).at(-4);
  return hour === undefined
    ? ['@hourly', '@minutely', '@secondly'].includes(expression)
    : hour.startsWith('*');
}

function toZone(zone: string | number | undefined): Zone {
  if (typeof zone === 'number') return FixedOffsetZone.instance(zone);
  if (zone === undefined) return SystemZone.instance;
  const named = IANAZone.create(zone);
  if (!named.isValid) throw new ArgumentOutOfRangeError('timeZone', zone, timeZoneExpected);
  return named;
}
