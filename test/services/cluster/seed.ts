/** Of the random moments of a run: `NIGHTSHIFT_SEED` repeats them, as far as the machine does. */
export const seed = Number(process.env['NIGHTSHIFT_SEED'] ?? Date.now() % 1_000_000);

/** One between 0 and 1 for each number. */
export function random(number: number): number {
  return ((Math.imul(number + seed, 2_654_435_761) >>> 0) % 1_000) / 1_000;
}
