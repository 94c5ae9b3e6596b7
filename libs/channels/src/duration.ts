import { ArgumentOutOfRangeError } from './errors.js';

/**
 * A length of time: a number of milliseconds, or a string of amounts with units such as `'250ms'`, `'30s'`,
 * `'1.5h'` or `'1h 30m'`. Units: `ms`, `s`, `m`, `h`, `d` (24 hours), `w` (7 days). A string without a unit is
 * refused, for nobody can tell what it counts.
 *
 * @see .NET `TimeSpan`
 */
export type Duration = number | string;

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const wholePattern = /^(?:\d+(?:\.\d+)?\s*(?:ms|s|m|h|d|w)\s*)+$/;
const partPattern = /(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)/g;

/**
 * A duration as milliseconds (a fraction is kept).
 *
 * @param argument the name to use in the error, by default `'duration'`
 * @throws {@link ArgumentOutOfRangeError} when it is negative, not finite, or not a duration at all
 */
export function toMilliseconds(duration: Duration, argument = 'duration'): number {
  const ms = typeof duration === 'string' ? parse(duration) : duration;
  if (!Number.isFinite(ms) || ms < 0) {
    throw new ArgumentOutOfRangeError(
      argument,
      duration,
      "a duration: milliseconds of 0 or more, or text with units (ms, s, m, h, d, w) such as '30s' or '1h 30m'",
    );
  }
  return ms;
}

/** A number of milliseconds in the shortest text that {@link toMilliseconds} reads back: `'1h 30m'`. */
export function formatDuration(ms: number): string {
  const parts: string[] = [];
  let rest = ms;
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const amount = Math.floor(rest / unitMs[unit]!);
    if (amount > 0) parts.push(`${amount}${unit}`);
    rest -= amount * unitMs[unit]!;
  }
  if (rest > 0 || parts.length === 0) parts.push(`${rest}ms`);
  return parts.join(' ');
}

function parse(text: string): number {
  const trimmed = text.trim();
  if (!wholePattern.test(trimmed)) return Number.NaN;
  let total = 0;
  for (const [, amount, unit] of trimmed.matchAll(partPattern)) total += Number(amount) * unitMs[unit!]!;
  return total;
}
