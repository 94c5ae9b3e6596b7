import {
  ArgumentOutOfRangeError,
  isOptionsObject,
  OptionsCheck,
  toMilliseconds,
  type Clock,
  type ClockTimer,
  type Duration,
} from 'nestjs-nightshift/channels';

/** A point in time on the wall clock: a date, milliseconds since the Unix epoch, or text that `Date` understands. */
export type Instant = Date | number | string;

/** What a {@link ManualClock} takes. */
export interface ManualClockOptions {
  /** What its wall clock shows at first. @default '2026-01-01T00:00:00.000Z' */
  readonly now?: Instant | undefined;
}

// Taken at import, so that a test which fakes the globals can still use this clock.
const { setImmediate: nextTurn } = globalThis;
/** Promises settle within one turn of the event loop; the further ones are for code that itself waits for a turn. */
const turnsPerSettling = 3;

class ManualTimer implements ClockTimer {
  constructor(
    readonly dueAt: number,
    readonly callback: () => void,
    private readonly timers: Set<ManualTimer>,
  ) {}

  cancel(): void {
    this.timers.delete(this);
  }
}

/**
 * A clock that stands still until the test moves it, for tests of code with timers that neither sleep nor guess.
 *
 * Moving it runs the timers that fall due, each at its own instant, in the order in which they are due and, among
 * those due together, in which they were armed. Before, between and after them it lets the code under test run until
 * its promises have settled, so a loop that re-arms its timer is found by the same `advance`.
 *
 * @example
 * const clock = new ManualClock();
 * const timer = new PeriodicTimer('10s', { clock });
 * const tick = timer.waitForNextTick();
 * await clock.advance('10s');
 * await tick; // true
 *
 * @see .NET `FakeTimeProvider`
 */
export class ManualClock implements Clock {
  private elapsedMs = 0;
  /** What to add to the monotonic time to get the wall clock's. */
  private epochMs: number;
  /** In the order in which they were armed. */
  private readonly timers = new Set<ManualTimer>();
  private readonly watchers = new Set<{ readonly count: number; readonly resolve: () => void }>();
  /** The end of the last movement: one begins only when the one before is over. */
  private moved: Promise<unknown> = Promise.resolve();

  constructor(options: ManualClockOptions = {}) {
    if (!isOptionsObject(options)) {
      throw new ArgumentOutOfRangeError(
        'options',
        options,
        "an object such as { now: '2026-01-01T00:00:00Z' }",
      );
    }
    const check = new OptionsCheck('ManualClock');
    check.knownKeys(options, ['now']);
    this.epochMs = check.attempt(() => toInstant(options.now ?? '2026-01-01T00:00:00.000Z', 'now'), 0);
    check.throwIfAny();
  }

  now(): number {
    return this.epochMs + this.elapsedMs;
  }

  /** Milliseconds for which this clock has been moved; 0 at first. */
  monotonic(): number {
    return this.elapsedMs;
  }

  schedule(delayMs: number, callback: () => void): ClockTimer {
    if (!Number.isFinite(delayMs)) throw new ArgumentOutOfRangeError('delayMs', delayMs, 'a finite number');
    const timer = new ManualTimer(this.elapsedMs + Math.max(0, delayMs), callback, this.timers);
    this.timers.add(timer);
    for (const watcher of this.watchers) {
      if (this.timers.size >= watcher.count) {
        this.watchers.delete(watcher);
        watcher.resolve();
      }
    }
    return timer;
  }

  /** How many timers are armed. At the end of a test 0 says that nothing has been left running. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  /** When the next timer is due, as `monotonic()` will show it; `undefined` when none is armed. */
  get nextTimerAt(): number | undefined {
    return this.nextTimer()?.dueAt;
  }

  /**
   * Moves the time on, running what falls due on the way, timers armed on the way included. Movements that overlap run
   * one after the other. A timer that throws ends the movement at its instant, and the promise rejects with its error.
   */
  advance(duration: Duration): Promise<void> {
    const byMs = toMilliseconds(duration);
    return this.move(() => this.runUntil(this.elapsedMs + byMs));
  }

  /**
   * As {@link advance}, up to a point on the wall clock.
   *
   * @throws {@link ArgumentOutOfRangeError} when that is in the past: time does not run backwards, but `setTime` can
   *   put the wall clock back
   */
  advanceTo(instant: Instant): Promise<void> {
    const at = toInstant(instant, 'instant');
    return this.move(async () => {
      if (at < this.now()) {
        const now = new Date(this.now()).toISOString();
        throw new ArgumentOutOfRangeError('instant', instant, `${now} or later (setTime() can go back)`);
      }
      await this.runUntil(at - this.epochMs);
    });
  }

  /**
   * Moves to the next timer and runs that one alone.
   *
   * @returns `false` when there is none, even after the code under test has settled
   */
  runNext(): Promise<boolean> {
    return this.move(async () => {
      await settle();
      const timer = this.nextTimer();
      if (timer === undefined) return false;
      await this.fire(timer);
      return true;
    });
  }

  /**
   * Sets the wall clock, as an administrator or a time server does. No time passes: `monotonic()` stays, and no timer
   * runs or becomes due any sooner.
   */
  setTime(instant: Instant): void {
    this.epochMs = toInstant(instant, 'instant') - this.elapsedMs;
  }

  /** Resolves as soon as at least `count` timers are armed at once: "the code under test has got to its wait". */
  whenScheduled(count: number): Promise<void> {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new ArgumentOutOfRangeError('count', count, 'a whole number of 0 or more');
    }
    if (this.timers.size >= count) return Promise.resolve();
    return new Promise((resolve) => this.watchers.add({ count, resolve }));
  }

  private move<T>(movement: () => Promise<T>): Promise<T> {
    const result = this.moved.then(movement);
    // Its caller gets the error; the next movement only has to wait for the end of this one.
    this.moved = result.catch(() => {});
    return result;
  }

  private async runUntil(target: number): Promise<void> {
    await settle();
    for (let timer = this.nextTimer(); timer && timer.dueAt <= target; timer = this.nextTimer()) {
      await this.fire(timer);
    }
    this.elapsedMs = target;
    await settle();
  }

  private async fire(timer: ManualTimer): Promise<void> {
    this.timers.delete(timer);
    this.elapsedMs = timer.dueAt;
    timer.callback();
    await settle();
  }

  private nextTimer(): ManualTimer | undefined {
    let next: ManualTimer | undefined;
    for (const timer of this.timers) {
      if (next === undefined || timer.dueAt < next.dueAt) next = timer;
    }
    return next;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < turnsPerSettling; turn++) {
    await new Promise<void>((resolve) => nextTurn(resolve));
  }
}

function toInstant(instant: Instant, argument: string): number {
  const ms = typeof instant === 'number' ? instant : new Date(instant).getTime();
  if (!Number.isFinite(ms)) {
    throw new ArgumentOutOfRangeError(
      argument,
      instant,
      "an instant: a Date, milliseconds since 1970, or text such as '2026-01-01T00:00:00Z'",
    );
  }
  return ms;
}
