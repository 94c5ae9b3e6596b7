const factor = 50;

/** Whether the long variants run: `NIGHTSHIFT_LONG_TESTS=1`. */
export const isLong = process.env['NIGHTSHIFT_LONG_TESTS'] === '1';

/** How often a random test runs: `short` times, and 50 times as often in the long variant. */
export function runs(short: number): number {
  return isLong ? short * factor : short;
}

/** For the options of a `describe` whose tests run that often, and on a busy machine too. */
export const longTimeout = { timeout: isLong ? 3_600_000 : 30_000 };
