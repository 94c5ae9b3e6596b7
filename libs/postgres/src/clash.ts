import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './errors.js';

/** How often something is tried again that others were in the way of. */
const triesAfterClash = 3;

/** Tries again what was rolled back because of others. */
export async function untilNoClash<R>(run: () => Promise<R>): Promise<R> {
  for (let left = triesAfterClash; ; left -= 1) {
    try {
      return await run();
    } catch (error) {
      if (left === 0 || !isClash(error)) throw error;
    }
  }
}

/** Whether it was rolled back because of others, and may be tried again: deadlock, serialization, a lock not given in time. */
export function isClash(error: unknown): boolean {
  return isLockTimeout(error) || ['40P01', '40001'].includes(codeOf(error) as string);
}

/** Stands for what was not done, because somebody is at it in a transaction that is still open. To be tried again. */
export const busy = Symbol('busy');

const pauseMs = { first: 50, longest: 500 } as const;

/** Tries again, apart from all else, until nobody is in the way. @param run is told whether somebody was */
export async function untilFree<R>(run: (wasBusy: boolean) => Promise<R | typeof busy>): Promise<R> {
  let result = await run(false);
  for (let waitMs: number = pauseMs.first; result === busy; waitMs = Math.min(2 * waitMs, pauseMs.longest)) {
    await sleep(waitMs);
    result = await run(true);
  }
  return result;
}

/** Whether somebody else had what it needed for longer than it may wait. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === '55P03';
}
