import type { Clock, ClockTimer } from 'nestjs-nightshift/channels';

/** The wall clock may be set meanwhile, so nothing is waited for longer than this. */
const longestWaitMs = 30_000;

/** Wakes somebody up when something falls due: of several times that it is given, at the earliest. */
export class WakeTimer {
  private timer: ClockTimer | undefined;
  /** When it is due, as `monotonic()` will show it. */
  private dueAt = 0;

  /** @param onWake looks for itself what has fallen due, and when the next is */
  constructor(
    private readonly clock: Clock,
    private readonly onWake: () => void,
  ) {}

  /** @param atMs by the wall clock */
  wakeAt(atMs: number): void {
    this.wakeAfter(Math.max(0, Math.ceil(atMs - this.clock.now())));
  }

  wakeAfter(delayMs: number): void {
    const { clock } = this;
    const dueAt = clock.monotonic() + Math.min(delayMs, longestWaitMs);
    if (this.timer !== undefined && this.dueAt <= dueAt) return; // who wakes earlier sees to this one too
    this.cancel();
    this.dueAt = dueAt;
    this.timer = clock.schedule(dueAt - clock.monotonic(), () => {
      this.timer = undefined;
      this.onWake();
    });
  }

  cancel(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }
}
