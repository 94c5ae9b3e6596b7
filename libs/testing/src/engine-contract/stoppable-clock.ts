import type { Clock, ClockTimer } from 'nestjs-nightshift/channels';

/** The clock of one application of several, which can be made to fall silent without the others noticing. */
export class StoppableClock implements Clock {
  private readonly timers = new Set<ClockTimer>();
  private isStopped = false;

  constructor(private readonly clock: Clock) {}

  now(): number {
    return this.clock.now();
  }

  monotonic(): number {
    return this.clock.monotonic();
  }

  schedule(delayMs: number, callback: () => void): ClockTimer {
    if (this.isStopped) return { cancel: () => {} };
    const timer = this.clock.schedule(delayMs, () => {
      this.timers.delete(timer);
      callback();
    });
    this.timers.add(timer);
    return {
      cancel: () => {
        this.timers.delete(timer);
        timer.cancel();
      },
    };
  }

  /** No timer of it goes off any more. */
  stop(): void {
    this.isStopped = true;
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
  }
}
