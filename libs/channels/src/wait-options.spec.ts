import { describe, expect, it } from 'vitest';
import { signalOf } from './wait-options.js';

const read = (options: unknown) => () => signalOf(options as object);
const { signal } = new AbortController();
/** Like a polyfill's, or one from another realm: of no class that we know. */
const foreign = { aborted: false, addEventListener() {}, removeEventListener() {} };

describe('signalOf', () => {
  it('gives the signal when there is one', () => {
    expect(signalOf({ signal })).toBe(signal);
    expect(signalOf({ signal: foreign as unknown as AbortSignal })).toBe(foreign);
    expect([signalOf(undefined), signalOf({}), signalOf({ signal: undefined })]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each([
    [null, 'options must be an object such as { signal }, but got null.'],
    [5, 'options must be an object such as { signal }, but got 5.'],
    [signal, 'options must be an object such as { signal }, but got an object (AbortSignal).'],
    [{ signal: null }, 'signal must be an AbortSignal, but got null.'],
    [{ signal: 'now' }, "signal must be an AbortSignal, but got 'now'."],
    [{ sginal: signal }, "There is no option 'sginal'. Did you mean 'signal'? Known options: signal."],
  ])('says which value it was given and which it takes when given %o', (options, message) => {
    expect(read(options)).toThrow(message);
  });

  it.each(['aborted', 'addEventListener', 'removeEventListener'])(
    'takes nothing for a signal when its %s is missing',
    (member) => {
      expect(read({ signal: { ...foreign, [member]: undefined } })).toThrow(/^signal must be an AbortSignal/);
    },
  );
});
