import { AssertionError } from 'node:assert/strict';
import { systemClock, toMilliseconds, type Clock, type Duration } from 'nestjs-nightshift/channels';
import { ManualClock } from '../manual-clock.js';
import { turns } from '../patience.js';
import type { ResolvedContractSetup } from './contract-setup.js';

// Taken at import, so that a test which fakes the globals can still wait.
const { setTimeout: realTimeout } = globalThis;
const { performance: realTime } = globalThis;

/** How many turns of the event loop something may take before a manual clock is moved for its sake. */
const turnsBeforeTimePasses = 12;
/** Waiting moves a manual clock in so many steps to the end of half a moment, and no further. */
const stepsOfWaiting = 50;

/** The same promise, whose rejection is going to be looked at later. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Time, as a case of the contract sees it: it passes on a manual clock, or it is waited for. */
export class ContractTime {
  /** What the applications of the case go by. */
  readonly clock: Clock;
  readonly momentMs: number;
  private readonly manual: ManualClock | undefined;
  private readonly withinMs: number;

  constructor({ clock, momentMs, withinMs }: ResolvedContractSetup) {
    this.manual = clock === 'manual' ? new ManualClock() : undefined;
    this.clock = this.manual ?? systemClock;
    this.momentMs = momentMs;
    this.withinMs = withinMs;
  }

  /** How many timers are armed on the manual clock; 0 without one. */
  get armedTimers(): number {
    return this.manual?.pendingTimers ?? 0;
  }

  async advance(duration: Duration): Promise<void> {
    if (this.manual !== undefined) return this.manual.advance(duration);
    await new Promise((resolve) => realTimeout(resolve, toMilliseconds(duration)));
  }

  /** Gives what must not happen the time to happen. */
  breathe(): Promise<void> {
    return this.advance(this.momentMs / 5);
  }

  /** Waits until `holds`. @throws AssertionError when it has not come about in time */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const end = realTime.now() + this.withinMs;
    for (let tries = 0; !(await holds()); tries += 1) {
      if (realTime.now() > end) throw new AssertionError({ message: `In time it should be so: ${what}.` });
      await this.wait(tries);
    }
  }

  /** What a promise gives, which has to settle in time. */
  async settled<T>(promise: Promise<T>, what = 'a promise settles'): Promise<T> {
    let isSettled = false;
    const note = (): void => void (isSettled = true);
    promise.then(note, note);
    await this.until(what, () => isSettled);
    return promise;
  }

  /** Whether a promise is still pending when there has been time for it to settle. */
  async isPending(promise: Promise<unknown>): Promise<boolean> {
    let isSettled = false;
    const note = (): void => void (isSettled = true);
    promise.then(note, note);
    await this.breathe();
    return !isSettled;
  }

  private async wait(tries: number): Promise<void> {
    if (this.manual === undefined) return this.advance(2);
    if (tries < turnsBeforeTimePasses) return turns(1);
    if (tries < turnsBeforeTimePasses + stepsOfWaiting)
      return this.manual.advance(this.momentMs / 2 / stepsOfWaiting);
    await new Promise((resolve) => realTimeout(resolve, 1)); // what it waits for is no timer
  }
}
