/** How much is done. A quick run shows whether it works, and a hint of the figures. */
export interface Effort {
  readonly workers: readonly number[];
  /** Not measured: until everybody has begun. */
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** Longer, since what happens then happens every few seconds. */
  readonly idleMs: number;
}

export const fullEffort: Effort = {
  workers: [1, 2, 4, 8, 16, 32, 64],
  warmUpMs: 1_000,
  measuredMs: 3_000,
  idleMs: 5_000,
};
export const quickEffort: Effort = { workers: [1, 4, 16], warmUpMs: 500, measuredMs: 1_500, idleMs: 2_500 };

/** How long a handler waits, as one does that asks another service something. */
export const handlerMs = 20;
/** How many tasks a worker runs at the same time. */
export const concurrency = 4;
/** What one worker can do at the most. */
export const mostPerWorker = (concurrency * 1_000) / handlerMs;
/** How many tasks are enqueued one by one in a second, while workers wait for them. */
export const tricklePerSecond = 50;
