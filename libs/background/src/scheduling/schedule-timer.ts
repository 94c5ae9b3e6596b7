import type { Clock, ClockTimer } from 'nestjs-nightshift/channels';
import type { Trigger } from './trigger.js';

/** The wall clock may be set while a timer waits, so a long wait for it is made of shorter ones. */
const longestWallWaitMs = 60_000;
/**
 * Set back by less, the clock is awaited: what has been due once is not due again. Set back by more, it must have been
 * wrong before, and waiting for that wrong time to come round again could take years. (The rule of Vixie cron.)
 */
const setBackAwaitedMs = 3 * 3_600_000;

/** A due tick, as the timer reports it. */
export interface DueTick {
  readonly scheduledAt: Date;
  /** How many due ticks before this one were passed over, because the process was held up. */
  readonly passed: number;
  /** How late it is, the jitter not counted. */
  readonly lateMs: number;
}

/** Waits for one due time of a trigger after the other. */
export class ScheduleTimer {
  private timer: ClockTimer | undefined;
  private due: number | undefined;
  private over = false;

  /**
   * @param jitterMs the most that a tick is delayed at random
   * @param random between 0 and 1
   * @param onDue called for each due tick; the timer is by then armed for the next
   */
  constructor(
    private currentTrigger: Trigger,
    private readonly clock: Clock,
    private readonly jitterMs: number,
    private readonly random: () => number,
    private readonly onDue: (tick: DueTick) => void,
  ) {}

  get trigger(): Trigger {
    return this.currentTrigger;
  }

  /** When the next tick is due; `undefined` when disarmed, or when there is none. */
  get nextAt(): Date | undefined {
    return this.due === undefined ? undefined : this.toDate(this.due);
  }

  /** Whether the trigger has no further due time. */
  get isOver(): boolean {
    return this.over;
  }

  /** Begins the schedule now. */
  arm(): void {
    this.armFor(this.trigger.first(this.axisNow()));
  }

  /**
   * Begins the schedule after a delay.
   *
   * @param ticksThen whether {@link nextAt} is the end of the delay, because `onArmed` ticks by itself
   */
  armAfter(delayMs: number, ticksThen: boolean, onArmed: () => void): void {
    this.disarm();
    const begin = this.axisNow() + delayMs;
    this.due = ticksThen ? begin : this.trigger.first(begin);
    this.timer = this.clock.schedule(delayMs, () => {
      this.arm();
      onArmed();
    });
  }

  disarm(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.due = undefined;
  }

  /** Puts another trigger in place, disarmed. */
  replace(trigger: Trigger): void {
    this.disarm();
    this.over = false;
    this.currentTrigger = trigger;
  }

  private armFor(due: number | undefined): void {
    this.disarm();
    this.due = due;
    this.over = due === undefined;
    if (due !== undefined) this.waitFor(due, due + this.jitterMs * this.random());
  }

  private waitFor(due: number, instant: number): void {
    const begunAt = this.axisNow();
    const remainingMs = Math.max(0, instant - begunAt);
    const inStages = this.trigger.axis === 'wall' && remainingMs > longestWallWaitMs;
    this.timer = this.clock.schedule(inStages ? longestWallWaitMs : remainingMs, () => {
      // A timer measures elapsed time; on the wall clock that may not be where it should have got to.
      const now = this.axisNow();
      if (now >= instant) this.fire(due, instant - due);
      else if (now < begunAt - setBackAwaitedMs) this.arm();
      else this.waitFor(due, instant);
    });
  }

  private fire(due: number, jitterMs: number): void {
    const now = this.axisNow();
    const latest = this.trigger.latest(due, now - jitterMs);
    this.armFor(this.trigger.after(latest.due));
    const lateMs = now - latest.due - jitterMs;
    this.onDue({ scheduledAt: this.toDate(latest.due), passed: latest.passed, lateMs });
  }

  private axisNow(): number {
    return this.trigger.axis === 'wall' ? this.clock.now() : this.clock.monotonic();
  }

  private toDate(due: number): Date {
    if (this.trigger.axis === 'wall') return new Date(due);
    // Fractions of both clocks: a Date cuts off where it should round.
    return new Date(Math.round(this.clock.now() + due - this.clock.monotonic()));
  }
}
