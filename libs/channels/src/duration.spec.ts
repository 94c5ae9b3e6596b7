import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentOutOfRangeError, formatDuration, toMilliseconds, type Duration } from './index.js';

describe('toMilliseconds', () => {
  it.each([
    [0, 0],
    [1.5, 1.5],
    ['0ms', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5h', 5_400_000],
    ['0.125s', 125],
    ['1h 30m', 5_400_000],
    ['1h30m', 5_400_000],
    ['  2 d ', 172_800_000],
    ['1w', 604_800_000],
    ['1m 1ms', 60_001],
  ])('reads %j as %s', (duration, ms) => {
    expect(toMilliseconds(duration)).toBe(ms);
  });

  it.each([
    -1,
    Number.NaN,
    Infinity,
    '',
    ' ',
    '30',
    's',
    '-1s',
    '1.s',
    '.5s',
    '1S',
    '30 seconds',
    '1h,30m',
    '1e3ms',
    `${'9'.repeat(400)}s`,
    null,
    undefined,
    5n,
    ['1s'],
    new Date(),
  ])('refuses %s', (duration) => {
    expect(() => toMilliseconds(duration as Duration)).toThrow(ArgumentOutOfRangeError);
  });

  it('calls it a duration when it is not told what it is', () => {
    expect(() => toMilliseconds('soon')).toThrow(/^duration must be a duration: milliseconds of 0 or more/);
  });

  it('names the argument as it was told to', () => {
    expect(() => toMilliseconds('soon', 'shutdownTimeout')).toThrow(
      /^shutdownTimeout must be a duration: .*'30s'.*, but got 'soon'\.$/,
    );
  });

  it('adds the parts up, in whatever order and with whatever spaces', () => {
    const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
    const part = fc.tuple(fc.nat(1_000), fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1 }), fc.constantFrom('', ' ', '  '), (parts, space) => {
        const text = parts.map(([amount, unit]) => `${amount}${unit}`).join(space);
        const sum = parts.reduce((total, [amount, unit]) => total + amount * units[unit], 0);
        expect(toMilliseconds(text)).toBe(sum);
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0ms'],
    [250, '250ms'],
    [30_000, '30s'],
    [5_400_000, '1h 30m'],
    [90_061_001, '1d 1h 1m 1s 1ms'],
  ])('%d is %s, and reads back the same', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
    expect(toMilliseconds(text)).toBe(ms);
  });
});
