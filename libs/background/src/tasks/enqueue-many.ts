import { PartlyEnqueuedError } from '../errors.js';
import type { EnqueueRequest } from './queue-engine.js';
import type { TaskHandle } from './task.js';

/** Accepts one task, or rejects. */
type Enqueue<H extends TaskHandle> = (request: EnqueueRequest) => Promise<H>;

/**
 * One after the other, each when the one before is accepted: after the first that is not, no other is tried.
 *
 * @throws PartlyEnqueuedError when some were accepted; what `enqueue` rejected with when none was
 */
export async function enqueueInOrder<H extends TaskHandle>(
  queue: string,
  requests: readonly EnqueueRequest[],
  enqueue: Enqueue<H>,
): Promise<readonly H[]> {
  const handles: H[] = [];
  for (const request of requests) {
    try {
      handles.push(await enqueue(request));
    } catch (error) {
      throw partly(queue, handles, requests, error);
    }
  }
  return handles;
}

/**
 * All in one turn, for stores that do together what they are asked for together. Not where one may wait for room: the others
 * could be added after it has failed.
 *
 * @throws the same as {@link enqueueInOrder}, when all have been accepted or not
 */
export async function enqueueTogether<H extends TaskHandle>(
  queue: string,
  requests: readonly EnqueueRequest[],
  enqueue: Enqueue<H>,
): Promise<readonly H[]> {
  const ends = await Promise.allSettled(requests.map((request) => enqueue(request)));
  const handles = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed === undefined) return handles;
  throw partly(queue, handles, requests, failed.reason);
}

function partly(
  queue: string,
  handles: readonly TaskHandle[],
  { length }: readonly EnqueueRequest[],
  cause: unknown,
): unknown {
  return handles.length === 0 ? cause : new PartlyEnqueuedError(queue, handles, length, { cause });
}
