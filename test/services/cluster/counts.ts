import type { JournalReport } from '../../processes/journal-reader.js';
import { seed } from './seed.js';
import type { StoreReport } from './cluster-store.js';

/** One line of what a scenario did and found. Nothing of it is a condition. */
export function toCounts(
  title: string,
  journal: JournalReport,
  store: StoreReport,
  others: Readonly<Record<string, number | string>>,
): string {
  const { acknowledged, starts, reruns, rerunsAfterStall, longestComebackMs } = journal;
  const counts = {
    enqueued: acknowledged.size,
    completed: store.completions.size,
    ...others,
    starts,
    'runs again': reruns,
    ...(rerunsAfterStall > 0 && { 'runs again after a standstill': rerunsAfterStall }),
    ...(longestComebackMs > 0 && { 'longest comeback': `${longestComebackMs} ms` }),
  };
  const words = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return `${title} (seed ${seed}): ${words.join(', ')}`;
}
