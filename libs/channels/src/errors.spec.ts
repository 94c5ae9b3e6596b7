import { describe, expect, it } from 'vitest';
import {
  ArgumentOutOfRangeError,
  ChannelClosedError,
  describeValue,
  InvalidOptionsError,
  NightshiftError,
  UndefinedItemError,
  UnknownOptionError,
} from './index.js';

describe('NightshiftError', () => {
  it.each([
    [new ChannelClosedError(), 'ChannelClosedError', 'CHANNEL_CLOSED'],
    [new ArgumentOutOfRangeError('a', 1, '2'), 'ArgumentOutOfRangeError', 'ARGUMENT_OUT_OF_RANGE'],
    [new UnknownOptionError('a', ['b']), 'UnknownOptionError', 'UNKNOWN_OPTION'],
    [new InvalidOptionsError('f', []), 'InvalidOptionsError', 'INVALID_OPTIONS'],
  ])('%s is one, with its own name and code', (error, name, code) => {
    expect(error).toBeInstanceOf(NightshiftError);
    expect(error).toMatchObject({ name, code });
  });

  it('is not what refuses undefined, which has to be a TypeError', () => {
    expect(new UndefinedItemError()).toMatchObject({ name: 'UndefinedItemError', code: 'UNDEFINED_ITEM' });
    expect(new UndefinedItemError()).toBeInstanceOf(TypeError);
  });
});

describe('ChannelClosedError', () => {
  it('has the completion error as its cause, and none without one', () => {
    const cause = new RangeError('too far');
    expect(new ChannelClosedError(cause).cause).toBe(cause);
    expect(new ChannelClosedError(cause).message).toContain('RangeError: too far');
    expect(new ChannelClosedError()).not.toHaveProperty('cause');
    expect(new ChannelClosedError(null)).not.toHaveProperty('cause');
    expect(new ChannelClosedError('a string').cause).toBe('a string');
  });
});

describe('describeValue', () => {
  it.each([
    ['text', "'text'"],
    ['x'.repeat(70), `'${'x'.repeat(60)}...'`],
    [1.5, '1.5'],
    [5n, '5n'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('s'), 'Symbol(s)'],
    [[1, 2], 'an array of 2'],
    [{}, 'an object (Object)'],
    [new Date(0), 'an object (Date)'],
    [Object.create(null), 'an object (no prototype)'],
    [new RangeError('far'), 'RangeError: far'],
    [describeValue, 'function describeValue'],
    [(() => () => {})(), 'a function'],
  ])('says %o as %s', (value, said) => {
    expect(describeValue(value)).toBe(said);
  });

  it('never throws', () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('no');
        },
        getPrototypeOf() {
          throw new Error('no');
        },
      },
    );
    expect(describeValue(hostile)).toBe('something that cannot be shown (object)');
  });
});
