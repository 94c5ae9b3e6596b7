import type { Clock } from 'nestjs-nightshift/channels';
import { ManualClock, type ManualClockOptions } from 'nestjs-nightshift/testing';

/** A clock for the code under test, steered by `manual`, on which time can pass without running timers. */
export function blockableClock(options?: ManualClockOptions) {
  const manual = new ManualClock(options);
  const held = { ms: 0 };
  const clock: Clock = {
    now: () => manual.now() + held.ms,
    monotonic: () => manual.monotonic() + held.ms,
    schedule: (delayMs, callback) => manual.schedule(delayMs, callback),
  };
  /** Lets time pass without running timers, as a blocked event loop does. */
  const holdUp = (ms: number) => (held.ms += ms);
  return { manual, clock, holdUp };
}
