import { toMilliseconds, type Duration } from './duration.js';
import { ArgumentOutOfRangeError } from './errors.js';
import { isOptionsObject, OptionsCheck } from './options-check.js';

/**
 * How long to wait before trying again. Stateless: one object can serve any number of tasks at once. Write your own
 * where `constant`, `linear` and `exponential` do not fit.
 */
export interface Backoff {
  /**
   * The pause after a failure, in milliseconds: finite, 0 or more, and not necessarily whole.
   *
   * @param attempt how many attempts have failed: 1 after the first failure
   * @throws {@link ArgumentOutOfRangeError} when `attempt` is not a whole number of 1 or more
   */
  delayMs(attempt: number): number;
  /**
   * What it is, as plain data, from which {@link backoffOf} makes it again: for stores, which keep no functions. There with
   * those that are made here, unless they were given a `random` of their own; one that you write may leave it out.
   */
  readonly plan?: BackoffPlan | undefined;
}

/** A backoff as plain data: its durations are milliseconds. */
export type BackoffPlan =
  | { readonly kind: 'constant'; readonly delayMs: number }
  | {
      readonly kind: 'linear';
      readonly initialMs: number;
      readonly incrementMs: number;
      readonly maxMs: number;
    }
  | {
      readonly kind: 'exponential';
      readonly initialMs: number;
      readonly factor: number;
      readonly maxMs: number;
      readonly jitter: number;
    };

/** The backoff that a plan describes. */
export function backoffOf(plan: BackoffPlan): Backoff {
  switch (plan.kind) {
    case 'constant':
      return constant(plan.delayMs);
    case 'linear':
      return linear({ initial: plan.initialMs, increment: plan.incrementMs, max: plan.maxMs });
    case 'exponential':
      return exponential({
        initial: plan.initialMs,
        factor: plan.factor,
        max: plan.maxMs,
        jitter: plan.jitter,
      });
  }
}

/** What {@link linear} takes. */
export interface LinearOptions {
  /** The pause after the first failure. */
  readonly initial: Duration;
  /** What each further failure adds. @default the same as `initial` */
  readonly increment?: Duration | undefined;
  /** The longest pause, at least `initial`; may be `Infinity`. @default 24 hours, or `initial` if that is longer */
  readonly max?: Duration | undefined;
}

/** What {@link exponential} takes. */
export interface ExponentialOptions {
  /** The pause after the first failure. */
  readonly initial: Duration;
  /** What each further failure multiplies the pause by: 1 or more. @default 2 */
  readonly factor?: number | undefined;
  /** The longest pause, at least `initial`; may be `Infinity`. @default 24 hours, or `initial` if that is longer */
  readonly max?: Duration | undefined;
  /**
   * The share of each pause that is left to chance, from 0 to 1, so that those who failed together do not come back
   * together. 0.2 means between 80 % and 100 % of the pause; 1 means anything up to it. It never makes a pause longer.
   *
   * @default 0
   */
  readonly jitter?: number | undefined;
  /** Numbers from 0 up to but not including 1, such as a test may want to choose. @default Math.random */
  readonly random?: (() => number) | undefined;
}

const defaultMaxMs = 86_400_000;
/** 100 years. Whatever the options, a pause stays a number that a timer and a date can be computed with. */
const longestPauseMs = 3_155_760_000_000;
const anObject = "an object such as { initial: '1s' }";

/**
 * Always the same pause.
 *
 * @example constant('5s')
 */
export function constant(delay: Duration): Backoff {
  const delayMs = Math.min(toMilliseconds(delay, 'delay'), longestPauseMs);
  return backoff(() => delayMs, { kind: 'constant', delayMs });
}

/**
 * A pause that grows by the same amount each time: `initial + increment * (attempt - 1)`, up to `max`.
 *
 * @example linear({ initial: '1s', increment: '5s', max: '1m' })
 */
export function linear(options: LinearOptions): Backoff {
  if (!isOptionsObject(options)) throw new ArgumentOutOfRangeError('options', options, anObject);
  const check = new OptionsCheck('linear');
  check.knownKeys(options, ['initial', 'increment', 'max']);
  const { initialMs, maxMs } = resolveRange(check, options);
  const increment = options.increment ?? initialMs;
  const incrementMs = check.attempt(() => toMilliseconds(increment, 'increment'), 0);
  check.throwIfAny();
  return backoff((attempt) => Math.min(initialMs + incrementMs * (attempt - 1), maxMs), {
    kind: 'linear',
    initialMs,
    incrementMs,
    maxMs,
  });
}

/**
 * A pause that is multiplied each time: `initial * factor ** (attempt - 1)`, up to `max`, less a random share of it
 * if `jitter` is given. The usual choice for a service that may be overloaded; give it jitter when many callers fail
 * at the same time.
 *
 * @example exponential({ initial: '1s', max: '5m', jitter: 0.5 })
 */
export function exponential(options: ExponentialOptions): Backoff {
  if (!isOptionsObject(options)) throw new ArgumentOutOfRangeError('options', options, anObject);
  const { factor = 2, jitter = 0, random = Math.random } = options;
  const check = new OptionsCheck('exponential');
  check.knownKeys(options, ['initial', 'factor', 'max', 'jitter', 'random']);
  const { initialMs, maxMs } = resolveRange(check, options);
  check.expect(Number.isFinite(factor) && factor >= 1, 'factor', factor, 'a finite number of 1 or more');
  check.expect(
    Number.isFinite(jitter) && jitter >= 0 && jitter <= 1,
    'jitter',
    jitter,
    'a number from 0 to 1',
  );
  check.expect(typeof random === 'function', 'random', random, 'a function () => number');
  check.throwIfAny();
  const plan: BackoffPlan | undefined =
    options.random === undefined ? { kind: 'exponential', initialMs, factor, maxMs, jitter } : undefined;
  return backoff((attempt) => {
    // Infinity is a fair intermediate result here, but Infinity * 0 is not: an initial pause of 0 stays 0.
    const pauseMs = initialMs === 0 ? 0 : Math.min(initialMs * factor ** (attempt - 1), maxMs);
    return pauseMs * (1 - jitter * random());
  }, plan);
}

function backoff(pauseMs: (attempt: number) => number, plan: BackoffPlan | undefined): Backoff {
  return Object.freeze({
    plan: plan && Object.freeze(plan),
    delayMs(attempt: number): number {
      if (!Number.isSafeInteger(attempt) || attempt < 1) {
        throw new ArgumentOutOfRangeError('attempt', attempt, 'a whole number of 1 or more');
      }
      return pauseMs(attempt);
    },
  });
}

function resolveRange(
  check: OptionsCheck,
  options: { readonly initial: Duration; readonly max?: Duration | undefined },
): { initialMs: number; maxMs: number } {
  const { initial, max } = options;
  const initialMs = check.attempt(() => Math.min(toMilliseconds(initial, 'initial'), longestPauseMs), 0);
  if (max === undefined) return { initialMs, maxMs: Math.max(defaultMaxMs, initialMs) };
  if (max === Number.POSITIVE_INFINITY) return { initialMs, maxMs: longestPauseMs };
  const maxMs = check.attempt(() => Math.min(toMilliseconds(max, 'max'), longestPauseMs), initialMs);
  check.expect(maxMs >= initialMs, 'max', max, `at least initial, which is ${initialMs} ms`);
  return { initialMs, maxMs };
}
