// How leaks are measured. Each scenario prints one line of JSON for each figure, which the specs read.

/** What of something was left when it had to be gone: listeners, timers, objects. */
export interface Remainder {
  readonly what: string;
  /** How often it was done. */
  readonly times: number;
  readonly left: number;
}

/** What the heap held after a part of the work and after all of it, garbage collected, in bytes. */
export interface HeapLevels {
  readonly what: string;
  readonly times: number;
  /** After 10, 40, 70 and 100 % of {@link times}. */
  readonly levels: readonly number[];
}

/** How often to do things: the scenario's argument. */
export const times = Number(process.argv[2]);

const collections = 2;

/** Collects all garbage. What was reached only through a WeakRef that was just looked at goes a turn later. */
export async function collectGarbage(): Promise<void> {
  for (let collection = 0; collection < collections; collection += 1) await collectOnce();
}

async function collectOnce(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
  globalThis.gc!();
}

export function report(figure: Remainder | HeapLevels): void {
  console.log(JSON.stringify(figure));
}

/** Does something `count` times, in parts, and reads the heap in between. */
export async function reportHeap(
  what: string,
  count: number,
  repeat: (times: number) => Promise<void>,
): Promise<void> {
  const levels: number[] = [];
  for (const percent of [10, 30, 30, 30]) {
    await repeat(Math.round((count * percent) / 100));
    levels.push(await heapLevel());
  }
  report({ what, times: count, levels });
}

/** How many of these objects are still there. Collect the garbage first. */
export function countAlive(references: readonly WeakRef<object>[]): number {
  return references.filter((reference) => reference.deref() !== undefined).length;
}

/** The lowest of several readings: what V8 does in the background only ever adds. */
async function heapLevel(): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY;
  for (let collection = 0; collection < collections; collection += 1) {
    await collectOnce();
    lowest = Math.min(lowest, process.memoryUsage().heapUsed);
  }
  return lowest;
}
