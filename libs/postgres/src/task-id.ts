import { randomBytes } from 'node:crypto';

/** The parts of a task's id: the number of its row, and what keeps the id from being guessed. */
export interface TaskKey {
  readonly seq: number;
  readonly nonce: string;
}

const nonceBytes = 9;
/** Random bytes are cheap by the thousand, and dear one by one. */
const pool = Buffer.alloc(nonceBytes * 512);
let used = pool.length;

export function createNonce(): string {
  if (used === pool.length) {
    pool.set(randomBytes(pool.length));
    used = 0;
  }
  used += nonceBytes;
  return pool.toString('base64url', used - nonceBytes, used);
}

export function toId({ seq, nonce }: TaskKey): string {
  return `${seq}-${nonce}`;
}

/** @returns `undefined` for what cannot be an id of ours */
export function parseId(id: string): TaskKey | undefined {
  const match = /^(\d{1,15})-([\w-]{12})$/.exec(id);
  return match === null ? undefined : { seq: Number(match[1]), nonce: match[2]! };
}

/** The number of the row that an id names, without looking at the rest: for ids that came from here. */
export function seqOf(id: string): number {
  return Number.parseInt(id, 10);
}
