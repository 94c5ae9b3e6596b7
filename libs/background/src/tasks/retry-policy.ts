import { exponential, toMilliseconds, type Backoff } from 'nestjs-nightshift/channels';
import { InvalidPayloadError, NoTaskHandlerError } from '../errors.js';
import type { OptionsReader } from '../options-reader.js';
import { longestDelayMs } from './longest-delay.js';

/** Whether and when a failed task is tried again. */
export interface RetryOptions {
  /**
   * How many times a task is tried at most, the first time included: 1 is no retry.
   * @default 1
   */
  maxAttempts?: number | undefined;
  /**
   * How long to wait before each further attempt.
   * @default exponential({ initial: '1s', factor: 2, max: '1h', jitter: 0.2 })
   */
  backoff?: Backoff | undefined;
  /**
   * Which failures are worth another attempt; the others are final at once. Called with what the work threw, or with the
   * `TaskTimeoutError`, and the number of the attempt that failed: 1 for the first. It must answer at once.
   *
   * @default all of them, but for an `InvalidPayloadError` and a `NoTaskHandlerError`, which are final in any case
   * @example retryIf: (error) => !(error instanceof InvalidAddressError)
   */
  retryIf?: ((error: unknown, attempt: number) => boolean) | undefined;
}

export interface ResolvedRetryOptions {
  readonly maxAttempts: number;
  readonly backoff: Backoff;
  readonly retryIf: RetryOptions['retryIf'];
}

export const retryDefaults: ResolvedRetryOptions = Object.freeze({
  maxAttempts: 1,
  backoff: exponential({ initial: '1s', factor: 2, max: '1h', jitter: 0.2 }),
  retryIf: undefined,
});

export const retryKeys = [
  'maxAttempts',
  'backoff',
  'retryIf',
] as const satisfies readonly (keyof RetryOptions)[];

/** @param defaults what holds for whatever is not given */
export function readRetryOptions(
  check: OptionsReader<RetryOptions>,
  defaults: ResolvedRetryOptions,
): ResolvedRetryOptions;
export function readRetryOptions(
  check: OptionsReader<RetryOptions>,
  defaults: Partial<ResolvedRetryOptions>,
): Partial<ResolvedRetryOptions>;
export function readRetryOptions(
  check: OptionsReader<RetryOptions>,
  defaults: Partial<ResolvedRetryOptions>,
): Partial<ResolvedRetryOptions> {
  const aBackoff = "a backoff, such as exponential({ initial: '1s' })";
  return Object.freeze({
    ...defaults,
    ...(check.has('maxAttempts') && { maxAttempts: check.wholeNumber('maxAttempts', 1, 1) }),
    ...(check.has('backoff') && {
      backoff: check.value('backoff', retryDefaults.backoff, aBackoff, isBackoff),
    }),
    ...(check.has('retryIf') && { retryIf: check.function<NonNullable<RetryOptions['retryIf']>>('retryIf') }),
  });
}

/**
 * How long to wait before the next attempt, in milliseconds, a thousand years at the most; `undefined` when the failure is final.
 *
 * @param attempt which one failed: 1 for the first
 * @throws ArgumentOutOfRangeError when the backoff gives no usable delay, or whatever the user's functions throw
 */
export function retryDelayMs(
  { maxAttempts, backoff, retryIf }: ResolvedRetryOptions,
  error: unknown,
  attempt: number,
): number | undefined {
  if (attempt >= maxAttempts || isBeyondRetry(error)) return undefined;
  if (retryIf !== undefined && !retryIf(error, attempt)) return undefined;
  return Math.min(toMilliseconds(backoff.delayMs(attempt), 'backoff.delayMs()'), longestDelayMs);
}

/** A payload that does not fit, or a handler that is not there, is the same at the next attempt. */
function isBeyondRetry(error: unknown): boolean {
  // With a cause it was not found wrong: the schema itself failed, which may be over by then.
  const isWrong = error instanceof InvalidPayloadError && error.cause === undefined;
  return isWrong || error instanceof NoTaskHandlerError;
}

function isBackoff(value: unknown): boolean {
  return typeof (value as Backoff | null)?.delayMs === 'function';
}
