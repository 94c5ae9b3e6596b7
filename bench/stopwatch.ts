import { readFileSync } from 'node:fs';

/** How long this thread has been ready to run while others held the processor, in milliseconds. */
function waitedMs(): number {
  try {
    // Linux: time run, time waited, in nanoseconds, of the thread that JavaScript runs on.
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0; // Other systems do not tell; there, measure on an idle machine.
  }
}

/**
 * Begins to measure. Calling what it gives tells the milliseconds since then, without those in which this process stood
 * in line for a processor: how long it would have taken on a machine that does nothing else.
 */
export function startWatch(waited = waitedMs, now = () => performance.now()): () => number {
  const waitedBefore = waited();
  const begunAt = now();
  return () => now() - begunAt - (waited() - waitedBefore);
}
