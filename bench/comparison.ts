import { setImmediate as nextTurn } from 'node:timers/promises';

/** One way of doing a row's work. */
export interface Contender {
  readonly name: string;
  /** Does the work `amount` times. */
  run(amount: number): Promise<void>;
}

export interface Row {
  readonly name: string;
  /** How often the work is done in one round. */
  readonly amount: number;
  readonly ours: Contender;
  readonly peers: readonly (Contender & {
    /** What our speed divided by the peer's should at least be. */
    readonly target: number;
  })[];
}

export interface Measured {
  readonly row: string;
  readonly name: string;
  /** Work items in a millisecond: the median of all rounds. */
  readonly median: number;
  /** The slowest and the fastest round. */
  readonly spread: readonly [number, number];
  /** Our median divided by this one's, and what it should at least be. */
  readonly ratio?: number;
  readonly target?: number;
}

const rounds = 7;

/** Measures a row, its contenders taking turns, so that whatever slows the machine slows them all. */
export async function measure(row: Row): Promise<Measured[]> {
  const contenders = [row.ours, ...row.peers];
  const speeds = contenders.map((): number[] => []);
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const speed = await time(contender, row.amount);
      if (round >= 0) speeds[index]!.push(speed); // the first round warms up
    }
  }
  const medians = speeds.map(median);
  return contenders.map(({ name }, index) => {
    const sorted = speeds[index]!.toSorted((one, other) => one - other);
    const base = {
      row: row.name,
      name,
      median: medians[index]!,
      spread: [sorted[0]!, sorted.at(-1)!] as const,
    };
    if (index === 0) return base;
    return { ...base, ratio: medians[0]! / medians[index]!, target: row.peers[index - 1]!.target };
  });
}

async function time(contender: Contender, amount: number): Promise<number> {
  globalThis.gc?.();
  await nextTurn();
  const begunAt = performance.now();
  await contender.run(amount);
  return amount / (performance.now() - begunAt);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}
