import { ArgumentOutOfRangeError } from './errors.js';

/** A timer armed on a {@link Clock}. */
export interface ClockTimer {
  /** Disarms the timer. Does nothing when it has already fired or been cancelled. */
  cancel(): void;
}

/**
 * The source of time for everything in Nightshift. Inject a `ManualClock` (from `nestjs-nightshift/testing`) to
 * drive timers by hand.
 *
 * An implementation promises that `monotonic()` never goes back, that a callback never runs inside `schedule()`
 * itself nor before its due time on the `monotonic()` axis, and that a cancelled timer does not run.
 *
 * @see .NET `TimeProvider`
 */
export interface Clock {
  /** The wall clock: milliseconds since the Unix epoch. It may jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds from an arbitrary origin, never going back: for measuring and for fixed periods. */
  monotonic(): number;
  /**
   * Calls `callback` once, `delayMs` milliseconds from now or as soon after that as the event loop gets to it.
   * Any finite delay works: one beyond what the platform's timer can hold (2^31-1 ms) is waited for in stages, and
   * one of 0 or less means at the next opportunity. An armed timer keeps the process alive.
   *
   * @throws {@link ArgumentOutOfRangeError} when `delayMs` is not finite
   */
  schedule(delayMs: number, callback: () => void): ClockTimer;
}

const longestDelayMs = 2_147_483_647;

class SystemTimer implements ClockTimer {
  private handle: NodeJS.Timeout | undefined;
  private readonly fire = (): void => {
    // Node rounds to whole milliseconds of its loop's own time, so a timer can come up a little early.
    if (this.remainingMs() > 0) this.arm();
    else this.callback();
  };

  constructor(
    private readonly dueAt: number,
    private readonly callback: () => void,
  ) {}

  arm(): void {
    // Rounded up: Node cuts a fraction off, and the timer would come up early only to be armed again.
    this.handle = setTimeout(this.fire, Math.min(Math.ceil(this.remainingMs()), longestDelayMs));
  }

  cancel(): void {
    clearTimeout(this.handle);
  }

  private remainingMs(): number {
    return Math.max(0, this.dueAt - performance.now());
  }
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback) {
    if (!Number.isFinite(delayMs)) throw new ArgumentOutOfRangeError('delayMs', delayMs, 'a finite number');
    const timer = new SystemTimer(performance.now() + delayMs, callback);
    timer.arm();
    return timer;
  },
};
