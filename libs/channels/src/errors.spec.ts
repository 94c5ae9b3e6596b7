import { describe, expect, it } from 'vitest';
import {
  ArgumentOutOfRangeError,
  ChannelClosedError,
  ConcurrentWaitError,
  describeValue,
  InvalidOptionsError,
  NightshiftError,
  TimerDisposedError,
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

describe('The message of an error', () => {
  const capacity = new ArgumentOutOfRangeError('capacity', -1, 'a whole number of 0 or more');
  const unknown = new UnknownOptionError('capasity', ['capacity', 'fullMode'], 'capacity');

  it.each([
    [capacity, 'capacity must be a whole number of 0 or more, but got -1.'],
    [unknown, "There is no option 'capasity'. Did you mean 'capacity'? Known options: capacity, fullMode."],
    [new UnknownOptionError('x', ['capacity']), "There is no option 'x'. Known options: capacity."],
    [
      new InvalidOptionsError('createBoundedChannel', [capacity]),
      `createBoundedChannel got an option that cannot be used:\n- ${capacity.message}`,
    ],
    [
      new InvalidOptionsError('createBoundedChannel', [unknown, capacity]),
      `createBoundedChannel got 2 options that cannot be used:\n- ${unknown.message}\n- ${capacity.message}`,
    ],
  ])('names the values and what would be accepted: %s', (error, message) => {
    expect(error.message).toBe(message);
  });

  it.each([
    [new ChannelClosedError(), /closed: its writer was completed\. .*waitToRead\(\) or waitToWrite\(\)/],
    [new ChannelClosedError('why'), /closed: its writer was completed with 'why'\./],
    [new UndefinedItemError(), /undefined cannot be an item.*Write null, or wrap the value/],
    [new ConcurrentWaitError(), /already being waited for.*or give each loop a PeriodicTimer of its own/],
    [new TimerDisposedError(), /period of a disposed timer.*Create a new PeriodicTimer/],
  ])('says what happened and what to do: %s', (error, message) => {
    expect(error.message).toMatch(message);
  });
});

describe('describeValue', () => {
  it.each([
    ['text', "'text'"],
    ['x'.repeat(60), `'${'x'.repeat(60)}'`],
    ['x'.repeat(61), `'${'x'.repeat(60)}...'`],
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
