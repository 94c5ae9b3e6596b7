import { systemClock, type Clock, type ClockTimer } from './clock.js';
import { toMilliseconds, type Duration } from './duration.js';
import { ArgumentOutOfRangeError, ConcurrentWaitError, TimerDisposedError } from './errors.js';
import { isOptionsObject, OptionsCheck } from './options-check.js';
import { signalOf, type WaitOptions } from './wait-options.js';
import { Waiter } from './waiters.js';

/** What a {@link PeriodicTimer} takes beside its period. */
export interface PeriodicTimerOptions {
  /** Where its time comes from. @default systemClock */
  readonly clock?: Clock | undefined;
}

const longestPeriodMs = 4_294_967_294;
const yes = Promise.resolve(true);
const no = Promise.resolve(false);

class TickWaiter extends Waiter<boolean> {
  constructor(
    private readonly forget: () => void,
    signal: AbortSignal | undefined,
  ) {
    super(signal);
  }

  protected override abandon(): void {
    this.forget();
  }
}

/**
 * Ticks at a fixed rate, and is waited for: the loop body can take as long as it likes, and two runs never overlap.
 *
 * The first tick comes one full period after construction. Ticks stay on that grid however late they are seen, so
 * nothing drifts; those missed while the loop was busy count as one, which the next wait gets at once. For a pause of
 * the same length between runs, sleep instead.
 *
 * It serves one loop: a second wait at the same time is an error. It keeps the process alive only while it is waited
 * for, and holds nothing that must be released; dispose it to end its loop.
 *
 * @example
 * using timer = new PeriodicTimer('10s');
 * while (await timer.waitForNextTick({ signal })) await sweep();
 *
 * @see .NET `System.Threading.PeriodicTimer`
 */
export class PeriodicTimer implements AsyncIterable<void> {
  private readonly clock: Clock;
  private periodMs: number;
  private isDisposed = false;
  /** The next tick that nobody has seen, on the clock's monotonic axis. In the past: it waits to be seen. */
  private nextTickAt: number;
  private waiter: TickWaiter | undefined = undefined;
  private armed: ClockTimer | undefined = undefined;

  /**
   * @param period 1 to 4294967294 milliseconds, a fraction cut off, or `Infinity` for a timer that does not tick until
   *   its period is changed
   * @throws {@link ArgumentOutOfRangeError} or {@link UnknownOptionError}
   */
  constructor(period: Duration, options: PeriodicTimerOptions = {}) {
    this.periodMs = checkedPeriod(period);
    this.clock = checkedClock(options);
    this.nextTickAt = this.clock.monotonic() + this.periodMs;
  }

  /** The time between two ticks, in milliseconds. */
  get period(): number {
    return this.periodMs;
  }

  /**
   * Changes the rate: the next tick comes one new period from now, also for a wait that is going on. A tick that has
   * been missed is still delivered.
   *
   * @throws {@link ArgumentOutOfRangeError} as the constructor, leaving the period as it was
   * @throws {@link TimerDisposedError} after `dispose()`
   */
  set period(period: Duration) {
    const periodMs = checkedPeriod(period);
    if (this.isDisposed) throw new TimerDisposedError();
    const now = this.clock.monotonic();
    const isDue = this.nextTickAt <= now;
    this.periodMs = periodMs;
    this.disarm();
    if (isDue && this.waiter === undefined) {
      // The missed tick marks the grid: the new one starts here.
      this.nextTickAt = now;
      return;
    }
    this.nextTickAt = now + periodMs;
    if (isDue) this.release(true);
    else if (this.waiter !== undefined) this.arm();
  }

  /**
   * Waits for the next tick: `true` then, at once if one has been missed; `false` as soon as the timer is disposed.
   *
   * Rejects with `signal.reason` when the signal aborts first, or had aborted before. That ends this wait only: the
   * timer goes on, and no tick is used up.
   *
   * @throws {@link ConcurrentWaitError} synchronously when the timer is being waited for already
   */
  waitForNextTick(options?: WaitOptions): Promise<boolean> {
    const signal = signalOf(options);
    if (this.waiter !== undefined) throw new ConcurrentWaitError();
    if (signal !== undefined && signal.aborted) return Promise.reject(signal.reason);
    if (this.isDisposed) return no;
    if (this.nextTickAt <= this.clock.monotonic()) {
      this.passTick();
      return yes;
    }
    this.waiter = new TickWaiter(this.forget, signal);
    this.arm();
    return this.waiter.promise;
  }

  /** Stops the timer for good: a wait that is going on, and every later one, resolves to `false`. */
  dispose(): void {
    this.isDisposed = true;
    this.disarm();
    this.release(false);
  }

  /** The same as `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Yields once a tick until the timer is disposed. Leaving the loop does not dispose it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<void, void, void> {
    while (await this.waitForNextTick()) yield;
  }

  private readonly forget = (): void => {
    this.waiter = undefined;
    this.disarm();
  };

  private readonly onDue = (): void => {
    this.armed = undefined;
    this.passTick();
    this.release(true);
  };

  private release(ticked: boolean): void {
    const { waiter } = this;
    this.waiter = undefined;
    waiter?.resolve(ticked);
  }

  /** Moves on to the first tick that is still to come; those in between are the missed ones. */
  private passTick(): void {
    // The timer's due time is rounded, so it can come up a hair before the tick that it is for.
    const late = Math.max(0, this.clock.monotonic() - this.nextTickAt);
    this.nextTickAt += this.periodMs * (Math.floor(late / this.periodMs) + 1);
  }

  private arm(): void {
    if (this.nextTickAt === Number.POSITIVE_INFINITY) return;
    this.armed = this.clock.schedule(this.nextTickAt - this.clock.monotonic(), this.onDue);
  }

  private disarm(): void {
    this.armed?.cancel();
    this.armed = undefined;
  }
}

function checkedPeriod(period: Duration): number {
  if (period === Number.POSITIVE_INFINITY) return period;
  const periodMs = Math.trunc(toMilliseconds(period, 'period'));
  if (periodMs < 1 || periodMs > longestPeriodMs) {
    throw new ArgumentOutOfRangeError('period', period, `1 to ${longestPeriodMs} milliseconds, or Infinity`);
  }
  return periodMs;
}

function checkedClock(options: PeriodicTimerOptions): Clock {
  if (!isOptionsObject(options)) {
    throw new ArgumentOutOfRangeError('options', options, 'an object such as { clock }');
  }
  const { clock = systemClock } = options;
  const check = new OptionsCheck('PeriodicTimer');
  check.knownKeys(options, ['clock']);
  check.expect(isClock(clock), 'clock', clock, 'a Clock, such as systemClock');
  check.throwIfAny();
  return clock;
}

function isClock(value: unknown): value is Clock {
  const clock = value as Partial<Clock> | null;
  return typeof clock?.schedule === 'function' && typeof clock.monotonic === 'function';
}
