import type { ManualClock } from './manual-clock.js';

// Taken at import, so that a test which fakes the globals can still wait.
const { setImmediate: nextTurn, setTimeout: realTimeout } = globalThis;
const { performance: realTime } = globalThis;

/** Enough for what settles within one turn of the event loop, and for code that itself waits for a turn. */
const turnsPerWait = 3;

/** Waits, but not for ever; moves a manual clock on meanwhile, because time does not pass on it by itself. */
export class Patience {
  constructor(
    readonly limitMs: number,
    private readonly clock: ManualClock | undefined,
  ) {}

  /**
   * Waits until `holds`, for at most the limit: on the manual clock, if there is one, and then in real time, which work
   * that does real I/O needs.
   *
   * @returns whether it has come to hold
   */
  async until(holds: () => boolean): Promise<boolean> {
    const { clock, limitMs } = this;
    const clockEnd = (clock?.monotonic() ?? 0) + limitMs;
    const end = realTime.now() + limitMs;
    await turns(turnsPerWait);
    while (!holds()) {
      if (clock?.nextTimerAt !== undefined && clock.nextTimerAt <= clockEnd) await clock.runNext();
      else if (realTime.now() < end) await new Promise((resolve) => realTimeout(resolve, 1));
      else return false;
    }
    return true;
  }
}

export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => nextTurn(resolve));
}
