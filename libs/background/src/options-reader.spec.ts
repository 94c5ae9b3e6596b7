import { InvalidOptionsError } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { OptionsReader } from './options-reader.js';

interface Options {
  amount?: number;
  flag?: boolean;
  label?: string;
  mode?: 'fast' | 'slow';
  hook?: () => void;
  wait?: string | number;
  nested?: { depth?: number };
}
const keys = ['amount', 'flag', 'label', 'mode', 'hook', 'wait', 'nested'] as const;

function hook() {}

function setup(options: unknown = {}) {
  const check = new OptionsReader<Options>('options', options as Options, keys);
  const problems = () => {
    try {
      check.finish();
    } catch (error) {
      return (error as InvalidOptionsError).problems.map(({ message }) => message);
    }
    return [];
  };
  return { check, problems };
}

describe('OptionsReader', () => {
  it('gives what is written', () => {
    const { check, problems } = setup({ amount: 3, flag: true, label: 'x', mode: 'slow', hook, wait: '2s' });
    expect([
      check.wholeNumber('amount', 1, 0),
      check.boolean('flag', false),
      check.name('label', 'none'),
      check.oneOf('mode', 'fast', ['fast', 'slow']),
      check.function('hook'),
      check.durationMs('wait', undefined),
    ]).toEqual([3, true, 'x', 'slow', hook, 2_000]);
    expect(problems()).toEqual([]);
  });

  it('gives the default when an option is left out or undefined', () => {
    const { check, problems } = setup({ amount: undefined });
    expect([
      check.wholeNumber('amount', 1, 0),
      check.boolean('flag', true),
      check.name('label', 'none'),
      check.oneOf('mode', 'fast', ['fast', 'slow']),
      check.function('hook'),
      check.durationMs('wait', 5),
      check.timeoutMs('wait', 7),
      check.nested('nested', ['depth'], () => 'read'),
      check.has('amount'),
    ]).toEqual([1, true, 'none', 'fast', undefined, 5, 7, undefined, false]);
    expect(problems()).toEqual([]);
  });

  it('gives the default and records the path when a value is wrong', () => {
    const wrong = { amount: 1.5, flag: 'no', label: ' ', mode: 'fsat', hook: 1, wait: 'soon' };
    const { check, problems } = setup(wrong);
    expect([
      check.wholeNumber('amount', 1, 0),
      check.boolean('flag', true),
      check.name('label', 'none'),
      check.oneOf('mode', 'fast', ['fast', 'slow']),
      check.function('hook'),
      check.durationMs('wait', 5),
    ]).toEqual([1, true, 'none', 'fast', undefined, 5]);
    expect(problems()).toEqual(
      Object.keys(wrong).map((key) => expect.stringContaining(`options.${key} must be`) as string),
    );
  });

  it('refuses a whole number below the minimum and a duration below the shortest', () => {
    const { check, problems } = setup({ amount: 1, wait: 9 });
    check.wholeNumber('amount', 2, 2);
    check.durationMs('wait', undefined, 10);
    expect(problems()).toEqual([
      expect.stringContaining('2 or more'),
      expect.stringContaining('of at least 10 ms'),
    ]);
  });

  it('reads infinite as no limit for a timeout, and as nonsense for a duration', () => {
    const { check, problems } = setup({ wait: 'infinite' });
    expect(check.timeoutMs('wait', 1)).toBe(Number.POSITIVE_INFINITY);
    expect(check.durationMs('wait', 1)).toBe(1);
    expect(problems()).toHaveLength(1);
  });

  it('takes any value that is accepted', () => {
    const { check, problems } = setup({ wait: null });
    expect(check.value('wait', 'default', 'null', (value) => value === null)).toBeNull();
    expect(problems()).toEqual([]);
  });

  it('suggests the nearest name when a key is unknown', () => {
    expect(setup({ amuont: 1 }).problems()).toEqual([
      expect.stringMatching(/options\.amuont.*Did you mean .*amount/),
    ]);
  });

  it.each([null, 5, [], 'x'])('reports %j when an object is expected', (options) => {
    const { check, problems } = setup(options);
    expect(check.boolean('flag', true)).toBe(true);
    expect(problems()).toEqual([expect.stringContaining('options must be an object')]);
  });

  it('reports the problems of a nested object together with its own, by their paths', () => {
    const { check, problems } = setup({ amount: -1, nested: { depth: 'x', deph: 1 } });
    check.wholeNumber('amount', 1, 0);
    const read = check.nested<{ depth?: number }, number>('nested', ['depth'], (nested) =>
      nested.wholeNumber('depth', 4, 0),
    );
    expect(read).toBe(4);
    expect(problems()).toEqual([
      expect.stringContaining('options.amount'),
      expect.stringContaining('options.nested.deph'),
      expect.stringContaining('options.nested.depth'),
    ]);
  });
});
