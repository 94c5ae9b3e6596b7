import type { Clock, ClockTimer } from 'nestjs-nightshift/channels';

/** Stands for a promise that did not settle in time. */
export const late = Symbol('late');

/** What a promise gives, or {@link late} when that takes longer. The promise goes on all the same. */
export async function withinTime<T>(
  promise: Promise<T>,
  limitMs: number,
  clock: Pick<Clock, 'schedule'>,
): Promise<T | typeof late> {
  let timer: ClockTimer | undefined;
  const limit = new Promise<typeof late>((resolve) => {
    timer = clock.schedule(limitMs, () => resolve(late));
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    timer?.cancel();
  }
}
