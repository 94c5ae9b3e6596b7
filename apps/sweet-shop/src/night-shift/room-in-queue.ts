/** The queue was full, and stayed so for longer than a client can be kept waiting. */
export class QueueFullError extends Error {
  readonly code = 'QUEUE_FULL';

  constructor() {
    super('Too much is waiting already. Try again in a moment.');
  }
}

/**
 * Enqueues, and waits for room as long as `patienceMs`: a full queue slows its clients down to what the workers manage,
 * but nobody waits for ever.
 *
 * @throws QueueFullError
 */
export async function waitForRoom<T>(
  patienceMs: number,
  enqueue: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(patienceMs);
  try {
    return await enqueue(signal);
  } catch (error) {
    throw signal.aborted && error === signal.reason ? new QueueFullError() : error;
  }
}
