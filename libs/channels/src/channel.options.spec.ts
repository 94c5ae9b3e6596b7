import { describe, expect, it } from 'vitest';
import {
  ArgumentOutOfRangeError,
  createBoundedChannel,
  createPriorityChannel,
  InvalidOptionsError,
  NightshiftError,
  UnknownOptionError,
} from './index.js';

const compare = (a: number, b: number): number => a - b;
const bounded = (options: unknown) => () => createBoundedChannel(options as number);
const priority = (options: unknown) => () => createPriorityChannel(options as { compare: typeof compare });

function thrownBy(create: () => unknown): NightshiftError {
  try {
    create();
  } catch (error) {
    return error as NightshiftError;
  }
  throw new Error('nothing was thrown');
}

describe('the options of a bounded channel', () => {
  it.each([0, 1, 100, 1_000_000_000, Number.MAX_SAFE_INTEGER])('C1 takes a capacity of %s', (capacity) => {
    expect(bounded(capacity)).not.toThrow();
    expect(bounded({ capacity })).not.toThrow();
  });

  it.each([-1, 1.5, Number.NaN, Infinity, -Infinity, 2 ** 53])('C1 refuses a capacity of %s', (capacity) => {
    const given = { code: 'ARGUMENT_OUT_OF_RANGE', argument: 'capacity', got: capacity };
    expect(bounded(capacity)).toThrow(expect.objectContaining(given));
    expect(bounded({ capacity })).toThrow(expect.objectContaining(given));
  });

  it('C2 waits when full unless told otherwise', () => {
    const { writer } = createBoundedChannel<number>({
      capacity: 1,
      fullMode: undefined,
      onDropped: undefined,
    });
    expect([writer.tryWrite(1), writer.tryWrite(2)]).toEqual([true, false]);
  });

  it.each([
    ['C2 a fullMode that is none', { capacity: 1, fullMode: 'block' }, 'fullMode'],
    ['a fullMode of another type', { capacity: 1, fullMode: 1 }, 'fullMode'],
    ['an onDropped that is no function', { capacity: 1, onDropped: 'log' }, 'onDropped'],
    ['a capacity in a string', { capacity: '5' }, 'capacity'],
    ['no capacity', {}, 'capacity'],
    ['C3 null', null, 'options'],
    ['C3 undefined', undefined, 'options'],
    ['a string', '5', 'options'],
    ['an array', [5], 'options'],
  ])('refuses %s, naming what is expected', (_, options, argument) => {
    const error = thrownBy(bounded(options));
    expect(error).toBeInstanceOf(ArgumentOutOfRangeError);
    expect(error).toMatchObject({ argument });
    expect(error.message).toMatch(new RegExp(`^${argument} must be .+, but got `));
  });

  it('names the option that was probably meant', () => {
    const error = thrownBy(bounded({ capacity: 1, fulMode: 'wait' }));
    expect(error).toBeInstanceOf(UnknownOptionError);
    expect(error).toMatchObject({ option: 'fulMode', suggestion: 'fullMode' });
    expect(error.message).toContain("Did you mean 'fullMode'?");
  });

  it('reports everything that is wrong at once', () => {
    const error = thrownBy(bounded({ capacity: -1, fullMode: 'block', nonsense: true }));
    expect(error).toBeInstanceOf(InvalidOptionsError);
    const { problems, owner } = error as InvalidOptionsError;
    expect(owner).toBe('createBoundedChannel');
    expect(problems.map(({ code }) => code)).toEqual([
      'UNKNOWN_OPTION',
      'ARGUMENT_OUT_OF_RANGE',
      'ARGUMENT_OUT_OF_RANGE',
    ]);
    for (const problem of problems) expect(error.message).toContain(problem.message);
  });
});

it.each([
  [
    'bounded',
    bounded('5'),
    "options must be a capacity, or an object such as { capacity: 100 }, but got '5'.",
  ],
  ['bounded', bounded(-1), 'capacity must be a whole number of 0 or more, but got -1.'],
  [
    'bounded',
    bounded({ capacity: 1, fullMode: 'block' }),
    "fullMode must be one of 'wait', 'dropNewest', 'dropOldest', 'dropWrite', but got 'block'.",
  ],
  [
    'bounded',
    bounded({ capacity: 1, onDropped: 1 }),
    'onDropped must be a function (item) => void, but got 1.',
  ],
  ['bounded', bounded({ capacity: 1, size: 1 }), 'Known options: capacity, fullMode, onDropped.'],
  [
    'priority',
    priority(undefined),
    'options must be an object such as { compare: (a, b) => a - b }, but got undefined.',
  ],
  ['priority', priority({ compare: 1 }), 'compare must be a function (a, b) => number, but got 1.'],
  [
    'priority',
    priority({ compare, capacity: 0 }),
    'capacity must be a whole number of 1 or more: there is no order among less, but got 0.',
  ],
  [
    'priority',
    priority({ compare, fullMode: 'wait' }),
    "fullMode must be left out without a capacity: an unbounded channel is never full, but got 'wait'.",
  ],
  ['priority', priority({ compare, size: 1 }), 'Known options: compare, capacity, fullMode, onDropped.'],
  ['priority', priority({ compare: 1, size: 1 }), /^createPriorityChannel got 2 options/],
])('a %s channel says which value it was given and which it takes', (_, create, message) => {
  expect(create).toThrow(message);
});

describe('the options of a priority channel', () => {
  it('takes compare alone, or with the options of a bounded channel', () => {
    expect(priority({ compare })).not.toThrow();
    expect(priority({ compare, capacity: undefined, fullMode: undefined })).not.toThrow();
    expect(priority({ compare, capacity: 1, fullMode: 'dropWrite', onDropped: () => {} })).not.toThrow();
  });

  it.each([
    ['no options', undefined, 'options'],
    ['a function', compare, 'options'],
    ['no compare', {}, 'compare'],
    ['a compare that is no function', { compare: 'priority' }, 'compare'],
    ['a capacity of 0', { compare, capacity: 0 }, 'capacity'],
    ['an infinite capacity', { compare, capacity: Infinity }, 'capacity'],
    ['a null capacity', { compare, capacity: null }, 'capacity'],
    ['a fullMode without a capacity', { compare, fullMode: 'wait' }, 'fullMode'],
    ['an onDropped without a capacity', { compare, onDropped: () => {} }, 'onDropped'],
  ])('refuses %s', (_, options, argument) => {
    expect(priority(options)).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_OUT_OF_RANGE', argument }) as Error,
    );
  });
});
