import { ArgumentOutOfRangeError, UnknownOptionError } from './errors.js';
import { nearest } from './options-check.js';

/** Options of everything in this library that may have to wait. */
export interface WaitOptions {
  /**
   * Gives up waiting: the promise rejects with `signal.reason`, and whatever was waited for stays for the others.
   * A signal that is already aborted wins over everything, even over data or space that is there.
   *
   * @default none: the wait lasts until it is answered
   */
  readonly signal?: AbortSignal | undefined;
}

const knownKeys = ['signal'] as const;

/** The signal of checked options. Throws synchronously: wrong options are the programmer's mistake. */
export function signalOf(options: WaitOptions | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null || isAbortSignal(options)) {
    throw new ArgumentOutOfRangeError('options', options, 'an object such as { signal }');
  }
  for (const key in options) {
    if (key !== 'signal') throw new UnknownOptionError(key, knownKeys, nearest(key, knownKeys));
  }
  const { signal } = options;
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw new ArgumentOutOfRangeError('signal', signal, 'an AbortSignal');
  }
  return signal;
}

/** By shape and not by class: signals come from polyfills and from other realms too. */
function isAbortSignal(value: unknown): value is AbortSignal {
  const signal = value as Partial<AbortSignal> | null;
  return (
    typeof signal?.aborted === 'boolean' &&
    typeof signal.addEventListener === 'function' &&
    typeof signal.removeEventListener === 'function'
  );
}
