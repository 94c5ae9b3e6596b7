/** The smallest figure that at least `share` of all do not exceed. */
export function quantile(figures: readonly number[], share: number): number {
  if (figures.length === 0) throw new RangeError('There is no quantile of no figures.');
  const sorted = figures.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/** The middle figure; of an even number of figures, the mean of the two in the middle. */
export function median(figures: readonly number[]): number {
  if (figures.length === 0) throw new RangeError('There is no median of no figures.');
  const sorted = figures.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle - 1)]! + sorted[Math.floor(middle)]!) / 2;
}

/**
 * What two contenders give together, round by round. Both took their turns in each round, so whatever slowed the
 * machine meanwhile cancels out.
 */
export function inPairs(
  ours: readonly number[],
  other: readonly number[],
  combine: (ours: number, other: number) => number,
): number[] {
  if (ours.length !== other.length)
    throw new RangeError(`${ours.length} rounds cannot be paired with ${other.length}.`);
  return ours.map((figure, round) => combine(figure, other[round]!));
}
