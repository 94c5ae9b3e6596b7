/** What the workers of one process have asked of the server, and how it was answered. */
export interface Tally {
  /** By what it was for. */
  readonly calls: Record<string, number>;
  /** Claims that brought nothing. */
  emptyClaims: number;
  /** What was refused because others were in the way, and was tried again. */
  clashes: number;
}

export const emptyTally = (): Tally => ({ calls: {}, emptyClaims: 0, clashes: 0 });

export function addTallies(tallies: readonly Tally[]): Tally {
  const sum = emptyTally();
  for (const { calls, emptyClaims, clashes } of tallies) {
    for (const [name, times] of Object.entries(calls)) sum.calls[name] = (sum.calls[name] ?? 0) + times;
    sum.emptyClaims += emptyClaims;
    sum.clashes += clashes;
  }
  return sum;
}

/** What has been added between two readings. */
export function tallyBetween(before: Tally, after: Tally): Tally {
  const calls: Record<string, number> = {};
  for (const [name, times] of Object.entries(after.calls)) {
    const added = times - (before.calls[name] ?? 0);
    if (added > 0) calls[name] = added;
  }
  return {
    calls,
    emptyClaims: after.emptyClaims - before.emptyClaims,
    clashes: after.clashes - before.clashes,
  };
}

export const callsOf = ({ calls }: Tally): number =>
  Object.values(calls).reduce((sum, times) => sum + times, 0);
