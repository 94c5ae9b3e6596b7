import type { Prepared } from './comparison.js';

/** What every durable queue is given: about 190 bytes as JSON. */
export const payload = Object.freeze({
  photo: '8f14e45f-ceea-467f-a9d5-2c1f3d0b7a61',
  owner: 'customer-204817',
  source: 's3://uploads/originals/2026/11/23/8f14e45f.jpg',
  widths: [320, 640, 1_280, 2_560],
  format: 'webp',
  quality: 82,
});

export type Payload = typeof payload;

/** How many enqueue at once, each waiting until what it has enqueued is stored. */
export const callers = 100;

/** Calls `enqueue` so many times, from all callers at once, each of which awaits every call of its own. */
export async function byCallers(amount: number, enqueue: () => Promise<unknown>): Promise<void> {
  let left = amount;
  const call = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await enqueue();
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
}

/** The time that has passed. What is spent in threads and servers counts as well, so nothing is taken off. */
export function startClock(): () => number {
  const begunAt = performance.now();
  return () => performance.now() - begunAt;
}

/** Work done `amount` times, as tasks in a millisecond; then, not measured, `clear` makes it as it was. */
export function durably(
  amount: number,
  run: (amount: number) => Promise<unknown>,
  { clear, close }: { clear?: () => Promise<unknown>; close: () => Promise<void> },
): Prepared {
  const sample = async (): Promise<number> => {
    const elapsedMs = startClock();
    await run(amount);
    const figure = amount / elapsedMs();
    await clear?.();
    return figure;
  };
  return { sample, close };
}
