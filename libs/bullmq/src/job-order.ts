import { randomBytes } from 'node:crypto';

/** Ids begin with when the task was enqueued, counted from here. */
const epochMs = Date.UTC(2020);
/** How many tasks of one process have places of their own in a millisecond. */
const inAMillisecond = 2 ** 14;
const placeLength = 11;

/**
 * Makes the ids of jobs: unlike the numbers that BullMQ counts up for each queue, they name one task and no other, wherever it
 * is and after the server was emptied too. What one process makes later comes later in the alphabet.
 */
export class JobIds {
  private last = 0;
  private readonly suffix = randomBytes(6).readUIntBE(0, 6).toString(36).padStart(10, '0');

  next(enqueuedAtMs: number): string {
    const first =
      (enqueuedAtMs - epochMs) * inAMillisecond + Math.floor(Math.random() * (inAMillisecond / 4));
    this.last = Math.max(first, this.last + 1);
    return `${this.last.toString(36).padStart(placeLength, '0')}-${this.suffix}`;
  }
}

/** What a job is ordered by. */
export interface OrderedJob {
  readonly place: number;
  readonly id: string;
}

/** The oldest first. Jobs with ids of their own may share a place: then their ids decide. */
export function compareJobs(a: OrderedJob, b: OrderedJob): number {
  if (a.place !== b.place) return a.place - b.place;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

/**
 * By what the tasks of a queue are ordered: when they were enqueued. Jobs that BullMQ or others gave an id of their own have
 * only the time.
 */
export function placeOf(id: string, timestamp: number): number {
  if (/^[0-9a-z]{11}-[0-9a-z]{10}$/.test(id)) return Number.parseInt(id.slice(0, placeLength), 36);
  let hash = 0;
  for (const character of id) hash = (hash * 10 + character.codePointAt(0)! - 48) % inAMillisecond;
  return Math.max(0, (timestamp - epochMs) * inAMillisecond + Math.abs(hash));
}

/** BullMQ does not take colons in the names of queues. */
export function toBullmqName(queue: string): string {
  return queue.replaceAll('%', '%25').replaceAll(':', '%3A');
}
