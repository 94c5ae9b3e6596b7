import { setImmediate as nextTurn } from 'node:timers/promises';

/** The used heap in bytes, once collecting garbage finds no more. Needs `--expose-gc`. */
export async function usedHeap(): Promise<number> {
  let smallest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round += 1) {
    await nextTurn();
    globalThis.gc!();
    smallest = Math.min(smallest, process.memoryUsage().heapUsed);
  }
  return smallest;
}
