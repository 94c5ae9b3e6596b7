import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffOf, constant, exponential, linear, type Backoff } from './index.js';

const firstDelays = (backoff: Backoff, count = 5): number[] =>
  Array.from({ length: count }, (_, index) => backoff.delayMs(index + 1));
const century = 3_155_760_000_000;

describe('constant', () => {
  it('is always the same', () => {
    expect(firstDelays(constant('5s'), 3)).toEqual([5_000, 5_000, 5_000]);
  });

  it('refuses what is no duration', () => {
    expect(() => constant('soon')).toThrow(expect.objectContaining({ argument: 'delay' }));
  });
});

describe('linear', () => {
  it('grows by the increment, up to max', () => {
    expect(firstDelays(linear({ initial: '1s', increment: '2s', max: '6s' }))).toEqual([
      1_000, 3_000, 5_000, 6_000, 6_000,
    ]);
  });

  it('grows by initial when no increment is given', () => {
    expect(firstDelays(linear({ initial: 10 }))).toEqual([10, 20, 30, 40, 50]);
  });

  it('reports everything that is wrong at once', () => {
    expect(() => linear({ initial: -1, increment: 'x', max: 'y', steps: 3 } as never)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTIONS',
        problems: expect.objectContaining({ length: 4 }),
      }) as never,
    );
  });
});

describe('exponential', () => {
  it('doubles by default, up to max', () => {
    expect(firstDelays(exponential({ initial: '1s', max: '5s' }))).toEqual([
      1_000, 2_000, 4_000, 5_000, 5_000,
    ]);
  });

  it('multiplies by the factor', () => {
    expect(firstDelays(exponential({ initial: 2, factor: 3 }), 4)).toEqual([2, 6, 18, 54]);
    expect(firstDelays(exponential({ initial: 7, factor: 1 }), 3)).toEqual([7, 7, 7]);
  });

  it('stops at 24 hours unless told otherwise, or at initial when that is longer', () => {
    expect(exponential({ initial: '1s' }).delayMs(5_000)).toBe(86_400_000);
    expect(exponential({ initial: '2d' }).delayMs(5_000)).toBe(2 * 86_400_000);
    expect(linear({ initial: '1h' }).delayMs(5_000)).toBe(86_400_000);
  });

  it('stays finite without a max', () => {
    expect(exponential({ initial: '1s', max: Infinity }).delayMs(1e6)).toBe(century);
    expect(exponential({ initial: 0, max: Infinity }).delayMs(1e6)).toBe(0);
    expect(constant(Number.MAX_VALUE).delayMs(1)).toBe(century);
  });

  it('takes the share that jitter allows off, at random', () => {
    const delays = [0, 0.5, 1].map((chance) =>
      exponential({ initial: 100, jitter: 0.4, random: () => chance }).delayMs(2),
    );
    expect(delays).toEqual([200, 160, 120]);
  });

  it('uses Math.random by default and stays within its limits', () => {
    const initial = fc.integer({ min: 0, max: 1e6 });
    const jitter = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(initial, jitter, fc.integer({ min: 1, max: 5_000 }), (initialMs, share, attempt) => {
        const exact = exponential({ initial: initialMs }).delayMs(attempt);
        const delay = exponential({ initial: initialMs, jitter: share }).delayMs(attempt);
        expect(delay).toBeLessThanOrEqual(exact);
        expect(delay).toBeGreaterThanOrEqual(exact * (1 - share) - 1e-6);
      }),
    );
  });

  it.each([
    ['factor', 0.5],
    ['factor', Infinity],
    ['factor', '2'],
    ['jitter', -0.1],
    ['jitter', 1.1],
    ['jitter', Number.NaN],
    ['random', 0.5],
    ['max', '10ms'],
    ['max', null],
  ])('refuses a %s of %s', (argument, value) => {
    const options = { initial: '1s', [argument]: value };
    expect(() => exponential(options)).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_OUT_OF_RANGE', argument }) as never,
    );
  });

  it('knows its options by name', () => {
    expect(() => exponential({ initial: 1, jiter: 0.5 } as never)).toThrow("Did you mean 'jitter'?");
  });
});

it.each([
  [() => linear(5 as never), "options must be an object such as { initial: '1s' }, but got 5."],
  [
    () => exponential([] as never),
    "options must be an object such as { initial: '1s' }, but got an array of 0.",
  ],
  [
    () => linear({ initial: '2s', max: '1s' }),
    "max must be at least initial, which is 2000 ms, but got '1s'.",
  ],
  [
    () => exponential({ initial: 1, factor: 0.5 }),
    'factor must be a finite number of 1 or more, but got 0.5.',
  ],
  [() => exponential({ initial: 1, jitter: 2 }), 'jitter must be a number from 0 to 1, but got 2.'],
  [
    () => exponential({ initial: 1, random: 0.5 as never }),
    'random must be a function () => number, but got 0.5.',
  ],
  [() => linear({ initial: 1, increment: 'x' }), /^increment must be a duration: .* but got 'x'/],
  [() => constant(1).delayMs(0), 'attempt must be a whole number of 1 or more, but got 0.'],
  [
    () => linear({ initial: -1, steps: 3 } as never),
    /^linear got 2 options [^]*Known options: initial, increment, max[^]*initial must be a duration/,
  ],
  [
    () => exponential({ initial: -1, steps: 3 } as never),
    /^exponential got 2 options [^]*Known options: initial, factor, max, jitter, random/,
  ],
])('says what can be used instead: %s', (use, message) => {
  expect(use).toThrow(message);
});

describe.each([
  ['constant', () => constant(1)],
  ['linear', () => linear({ initial: 1 })],
  ['exponential', () => exponential({ initial: 1 })],
])('%s', (_, create) => {
  it.each([0, -1, 1.5, Number.NaN, Infinity, '1'])('refuses attempt %s: they count from 1', (attempt) => {
    expect(() => create().delayMs(attempt as number)).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_OUT_OF_RANGE', argument: 'attempt' }) as never,
    );
  });
});

it.each([
  ['linear', linear],
  ['exponential', exponential],
])('%s refuses options that are none', (_, create) => {
  for (const options of [undefined, null, '1s', 5, []]) {
    expect(() => create(options as never)).toThrow(expect.objectContaining({ argument: 'options' }) as never);
  }
});

describe('backoffOf', () => {
  const pauseMs = fc.integer({ min: 0, max: 1e6 });
  const moreMs = fc.option(fc.integer({ min: 0, max: 1e9 }), { nil: Infinity });
  const backoffs = fc.oneof(
    pauseMs.map((delay) => constant(delay)),
    fc
      .record({ initial: pauseMs, increment: pauseMs, more: moreMs })
      .map(({ initial, increment, more }) => linear({ initial, increment, max: initial + more })),
    fc
      .record({ initial: pauseMs, factor: fc.double({ min: 1, max: 10, noNaN: true }), more: moreMs })
      .map(({ initial, factor, more }) => exponential({ initial, factor, max: initial + more })),
  );

  it('makes of a plan that has been JSON the backoff that it was of', () => {
    fc.assert(
      fc.property(backoffs, fc.integer({ min: 1, max: 5_000 }), (backoff, attempt) => {
        const plan = JSON.parse(JSON.stringify(backoff.plan)) as NonNullable<Backoff['plan']>;
        expect(backoffOf(plan).delayMs(attempt)).toBe(backoff.delayMs(attempt));
        expect(backoffOf(plan).plan).toEqual(backoff.plan);
      }),
    );
  });

  it('keeps the jitter', () => {
    const { plan } = exponential({ initial: '1s', jitter: 0.4 });
    expect(plan).toMatchObject({ kind: 'exponential', jitter: 0.4 });
    expect(backoffOf(plan!).plan).toEqual(plan);
  });

  it('has no plan of one with random numbers of its own, which are a function', () => {
    expect(exponential({ initial: 1, random: () => 0 }).plan).toBeUndefined();
  });
});
