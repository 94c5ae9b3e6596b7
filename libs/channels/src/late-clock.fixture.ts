import type { Clock } from './index.js';

/** A clock on which time passes with or without timers being run, as it does when the process is held up. */
export interface SteppedClock extends Clock {
  readonly pendingTimers: number;
  readonly nextTimerAt: number | undefined;
  advance(byMs: number): Promise<void> | void;
  /** Lets time pass without running timers. Left out by a clock that cannot. */
  readonly holdUp?: (byMs: number) => void;
  setTime(instant: number): void;
}

/** Runs what has fallen due late, at the time to which it was held up. */
export class LateClock implements SteppedClock {
  private readonly timers = new Set<{ readonly dueAt: number; readonly callback: () => void }>();
  private nowMs = 0;
  private wallMs = 0;

  now(): number {
    return this.wallMs + this.nowMs;
  }

  monotonic(): number {
    return this.nowMs;
  }

  schedule(delayMs: number, callback: () => void) {
    const timer = { dueAt: this.nowMs + Math.max(0, delayMs), callback };
    this.timers.add(timer);
    return { cancel: () => void this.timers.delete(timer) };
  }

  get pendingTimers(): number {
    return this.timers.size;
  }

  get nextTimerAt(): number | undefined {
    return this.next()?.dueAt;
  }

  advance(byMs: number): void {
    const target = this.nowMs + byMs;
    for (let timer = this.next(); timer && timer.dueAt <= target; timer = this.next()) {
      this.nowMs = Math.max(this.nowMs, timer.dueAt);
      this.timers.delete(timer);
      timer.callback();
    }
    this.nowMs = target;
  }

  readonly holdUp = (byMs: number): void => void (this.nowMs += byMs);

  setTime(instant: number): void {
    this.wallMs = instant - this.nowMs;
  }

  private next() {
    return [...this.timers].toSorted((a, b) => a.dueAt - b.dueAt)[0];
  }
}
