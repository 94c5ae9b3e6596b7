import type { ResolvedConcurrency } from './enqueue.options.js';
import type { LocalTask } from './local-task.js';
import { TaskLanes } from './task-lanes.js';

/** What is known of one `concurrencyKey` while tasks of it run or are held back. */
interface KeyInUse {
  running: number;
  /** Those that are held back, by the limit that they go by. */
  readonly heldBack: Map<number, TaskLanes>;
}

/**
 * Keeps tasks of one `concurrencyKey` from running all at once: each may begin while fewer than its own limit run. Those
 * that may not are held back here, where they hold up nobody.
 *
 * A task of the key lets the first of those that may begin go back in line whenever it ends, and also when it leaves the
 * line without having begun: so while there is room for one of a key, one of it is in line or about to run.
 */
export class ConcurrencyKeys {
  private readonly byKey = new Map<string, KeyInUse>();
  private heldBackCount = 0;
  private freshCount = 0;

  /** How many are held back. */
  get size(): number {
    return this.heldBackCount;
  }

  /** How many of those were enqueued to run at once. */
  get fresh(): number {
    return this.freshCount;
  }

  hasRoomFor({ key, limit }: ResolvedConcurrency): boolean {
    return (this.byKey.get(key)?.running ?? 0) < limit;
  }

  /** A task of the key is about to run. */
  begin({ key }: ResolvedConcurrency): void {
    this.inUse(key).running += 1;
  }

  /** A task of the key that was about to run, or ran, does so no more. */
  end({ key }: ResolvedConcurrency): void {
    this.inUse(key).running -= 1;
    this.forgetUnused(key);
  }

  holdBack(task: LocalTask, isDue: boolean): void {
    const { key, limit } = task.options.concurrency!;
    const { heldBack } = this.inUse(key);
    let lanes = heldBack.get(limit);
    if (lanes === undefined) heldBack.set(limit, (lanes = new TaskLanes(true)));
    lanes.restore(task, isDue);
    this.count(isDue, 1);
  }

  /** Takes out a task that is held back. */
  remove(task: LocalTask): void {
    const { key, limit } = task.options.concurrency!;
    const { isDue } = task.chain!;
    const { heldBack } = this.inUse(key);
    const lanes = heldBack.get(limit)!;
    lanes.remove(task);
    if (lanes.size === 0) heldBack.delete(limit);
    this.count(isDue, -1);
    this.forgetUnused(key);
  }

  /** The first of the key that may begin now. */
  firstReady(key: string): LocalTask | undefined {
    const inUse = this.byKey.get(key);
    if (inUse === undefined) return undefined;
    let first: LocalTask | undefined;
    for (const [limit, lanes] of inUse.heldBack) {
      if (inUse.running < limit && (first === undefined || goesBefore(lanes.first!, first)))
        first = lanes.first!;
    }
    return first;
  }

  /** Those that are held back. */
  *[Symbol.iterator](): Iterator<LocalTask> {
    for (const { heldBack } of this.byKey.values()) for (const lanes of heldBack.values()) yield* lanes;
  }

  /** All lanes that there are. */
  *lanes(): Iterable<TaskLanes> {
    for (const { heldBack } of this.byKey.values()) yield* heldBack.values();
  }

  private inUse(key: string): KeyInUse {
    let inUse = this.byKey.get(key);
    if (inUse === undefined) this.byKey.set(key, (inUse = { running: 0, heldBack: new Map() }));
    return inUse;
  }

  private forgetUnused(key: string): void {
    const { running, heldBack } = this.byKey.get(key)!;
    if (running === 0 && heldBack.size === 0) this.byKey.delete(key);
  }

  private count(isDue: boolean, by: 1 | -1): void {
    this.heldBackCount += by;
    if (!isDue) this.freshCount += by;
  }
}

/** Whether one of two tasks of different lanes is to run before the other. */
function goesBefore(one: LocalTask, other: LocalTask): boolean {
  const byPriority = one.options.priority - other.options.priority;
  if (byPriority !== 0) return byPriority < 0;
  if (one.chain!.isDue !== other.chain!.isDue) return one.chain!.isDue;
  return one.turn < other.turn;
}
