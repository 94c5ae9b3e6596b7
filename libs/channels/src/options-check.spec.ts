import { describe, expect, it } from 'vitest';
import { ArgumentOutOfRangeError, isOptionsObject, nearest, OptionsCheck } from './index.js';

describe('OptionsCheck', () => {
  it('throws nothing when all is well', () => {
    const check = new OptionsCheck('f');
    check.knownKeys({ size: 1 }, ['size']);
    check.expect(true, 'size', 1, 'a number');
    expect(check.attempt(() => 5, 0)).toBe(5);
    expect(() => check.throwIfAny()).not.toThrow();
  });

  it('throws a single problem as it is', () => {
    const check = new OptionsCheck('f');
    check.expect(false, 'size', 'x', 'a number');
    expect(() => check.throwIfAny()).toThrow("size must be a number, but got 'x'.");
  });

  it('notes what an attempt refuses and goes on with the fallback', () => {
    const check = new OptionsCheck('f');
    const refused = new ArgumentOutOfRangeError('size', -1, 'more');
    const refuse = (): number => {
      throw refused;
    };
    expect(check.attempt(refuse, 3)).toBe(3);
    expect(() => check.throwIfAny()).toThrow(refused);
  });

  it('lets any other error of an attempt pass', () => {
    const check = new OptionsCheck('f');
    expect(() => check.attempt(() => JSON.parse('{'), 0)).toThrow(SyntaxError);
  });
});

describe('nearest', () => {
  it.each([
    ['capasity', 'capacity'],
    ['CAPACITY', 'capacity'],
    ['fulMode', 'fullMode'],
    ['onDorpped', 'onDropped'],
    ['capacixx', 'capacity'],
    ['capacxxx', undefined],
    ['colour', undefined],
    ['x', undefined],
  ])('takes %s for %s', (written, meant) => {
    expect(nearest(written, ['capacity', 'fullMode', 'onDropped'])).toBe(meant);
  });
});

describe('isOptionsObject', () => {
  it('is for objects that hold options', () => {
    expect([{}, Object.create(null)].map(isOptionsObject)).toEqual([true, true]);
    expect([null, undefined, [], 5, 'x', () => {}].some(isOptionsObject)).toBe(false);
  });
});
