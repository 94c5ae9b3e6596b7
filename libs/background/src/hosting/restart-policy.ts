import { exponential, toMilliseconds, type Backoff, type Duration } from 'nestjs-nightshift/channels';
import type { OptionsReader } from '../options-reader.js';

/** How a long-running service is started again after a fault. */
export interface RestartOptions {
  /**
   * How many restarts are allowed {@link within} the window. One more fault, and `exceptionBehavior` decides.
   * @default 5
   */
  maxRestarts?: number | undefined;
  /**
   * The window, sliding. A service that has run for this long without a fault starts counting, and backing off, anew.
   * @default '5m'
   */
  within?: Duration | undefined;
  /**
   * How long to wait before each restart, so that a service that fails at once does not spend all the CPU on failing.
   * @default exponential({ initial: '1s', factor: 2, max: '1m', jitter: 0.2 })
   */
  backoff?: Backoff | undefined;
}

export interface ResolvedRestartOptions {
  readonly maxRestarts: number;
  readonly withinMs: number;
  readonly backoff: Backoff;
}

export const restartDefaults: ResolvedRestartOptions = Object.freeze({
  maxRestarts: 5,
  withinMs: 300_000,
  backoff: exponential({ initial: '1s', factor: 2, max: '1m', jitter: 0.2 }),
});

export const restartKeys = [
  'maxRestarts',
  'within',
  'backoff',
] as const satisfies readonly (keyof RestartOptions)[];

export function readRestartOptions(check: OptionsReader<RestartOptions>): ResolvedRestartOptions {
  return Object.freeze({
    maxRestarts: check.wholeNumber('maxRestarts', restartDefaults.maxRestarts, 0),
    withinMs: check.durationMs('within', restartDefaults.withinMs, 1),
    backoff: check.value(
      'backoff',
      restartDefaults.backoff,
      'a backoff, such as exponential({ initial: "1s" })',
      (value) => typeof (value as Backoff | null)?.delayMs === 'function',
    ),
  });
}

/** Counts restarts in a sliding window and says how long to wait, or that it is enough. */
export class RestartPolicy {
  private restartedAt: number[] = [];

  constructor(private readonly options: ResolvedRestartOptions) {}

  /**
   * The delay before the next restart in milliseconds, or `undefined` when the service has used up its restarts.
   *
   * @throws ArgumentOutOfRangeError when the backoff gives no usable delay, or whatever the backoff throws
   */
  next(nowMs: number): number | undefined {
    const { maxRestarts, withinMs, backoff } = this.options;
    this.restartedAt = this.restartedAt.filter((at) => nowMs - at < withinMs);
    const delayMs = toMilliseconds(backoff.delayMs(this.restartedAt.length + 1), 'backoff.delayMs()');
    // A restart is when it runs again: the wait before it moves it on in the window.
    const at = nowMs + delayMs;
    const inWindow = this.restartedAt.filter((earlier) => at - earlier < withinMs).length;
    if (inWindow >= maxRestarts) return undefined;
    this.restartedAt.push(at);
    return delayMs;
  }
}
