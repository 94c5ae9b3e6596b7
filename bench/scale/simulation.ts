import { setTimeout as sleep } from 'node:timers/promises';
import { Crew } from './crew.js';
import type { SharedStore } from './shared-store.js';
import { mostPerWorker, tricklePerSecond, type Effort } from './situation.js';
import { measureStretch, type Stretch } from './stretch.js';

/** What so many workers did at one store. */
export interface Simulated {
  readonly workers: number;
  /** There is more to do than they can. */
  readonly backlog: Stretch;
  /** Whether they have done it all the same: they could have done more. */
  readonly hasRunDry: boolean;
  /** Most of them wait, and tasks come one by one. */
  readonly trickle: Stretch;
  readonly idle: Stretch;
}

/** So much more than they can do is enqueued. */
const margin = 1.15;

export async function simulate(store: SharedStore, workers: number, effort: Effort): Promise<Simulated> {
  const { warmUpMs, measuredMs, idleMs } = effort;
  const crew = await Crew.open(await store.empty(), workers);
  try {
    await sleep(warmUpMs);
    const trickled = (): Promise<unknown> => crew.trickle(tricklePerSecond, measuredMs);
    const trickle = await measureStretch(store, crew, trickled);
    await sleep(warmUpMs);
    const idle = await measureStretch(store, crew, () => sleep(idleMs));
    const perSecond = Math.min(workers * mostPerWorker, store.mostPerSecond);
    const amount = Math.ceil(((perSecond * (warmUpMs + measuredMs)) / 1_000) * margin);
    await crew.enqueue(amount);
    await sleep(warmUpMs);
    const backlog = await measureStretch(store, crew, () => sleep(measuredMs));
    const { begun } = await crew.report();
    return { workers, backlog, hasRunDry: begun >= amount + trickle.tasks, trickle, idle };
  } finally {
    await crew.close();
  }
}
