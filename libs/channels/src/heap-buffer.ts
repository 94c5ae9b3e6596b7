import type { ChannelBuffer } from './channel-buffer.js';

/** An item in the heap: its place there, and its neighbours in order of arrival. */
class HeapEntry<T> {
  position = 0;
  older: HeapEntry<T> | undefined = undefined;
  newer: HeapEntry<T> | undefined = undefined;

  constructor(
    readonly item: T,
    readonly sequence: number,
  ) {}
}

/**
 * The smallest item by `compare` first, and among equals the one that came first: a binary heap whose entries are
 * chained by age as well, so that the oldest or the newest can be dropped from anywhere in it in O(log n).
 *
 * Every change first finds its path through the heap, comparing only, and then moves entries along it, so a
 * `compare` that throws leaves the heap as it was.
 */
export class HeapBuffer<T> implements ChannelBuffer<T> {
  private readonly entries: HeapEntry<T>[] = [];
  private oldest: HeapEntry<T> | undefined = undefined;
  private newest: HeapEntry<T> | undefined = undefined;
  private arrivals = 0;

  constructor(private readonly compare: (a: T, b: T) => number) {}

  get size(): number {
    return this.entries.length;
  }

  push(item: T): void {
    const entry = new HeapEntry(item, this.arrivals++);
    const end = this.entries.length;
    this.lift(entry, end, this.pathUp(entry, end));
    entry.older = this.newest;
    if (this.newest === undefined) this.oldest = entry;
    else this.newest.newer = entry;
    this.newest = entry;
  }

  peek(): T | undefined {
    return this.entries[0]?.item;
  }

  shift(): T | undefined {
    const first = this.entries[0];
    return first === undefined ? undefined : this.remove(first);
  }

  replaceOldest(item: T): T {
    return this.replace(this.oldest!, item);
  }

  replaceNewest(item: T): T {
    return this.replace(this.newest!, item);
  }

  private replace(victim: HeapEntry<T>, item: T): T {
    // The newcomer first: if it cannot be compared, nothing has been lost for it.
    this.push(item);
    try {
      return this.remove(victim);
    } catch (error) {
      this.takeBack(this.newest!);
      throw error;
    }
  }

  /** Takes out the entry that has just come in, the way it came: nothing needs comparing. */
  private takeBack(entry: HeapEntry<T>): void {
    this.sink(entry, entry.position, this.entries.length - 1);
    this.entries.pop();
    this.unchain(entry);
  }

  private remove(entry: HeapEntry<T>): T {
    const end = this.entries.length - 1;
    const last = this.entries[end]!;
    if (last !== entry) this.fill(entry.position, last, end);
    this.entries.pop();
    this.unchain(entry);
    return entry.item;
  }

  private unchain(entry: HeapEntry<T>): void {
    if (entry.older === undefined) this.oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.newest = entry.older;
    else entry.newer.older = entry.older;
  }

  /** Moves the heap's last entry, at `end`, to where it belongs now that `hole` is free. */
  private fill(hole: number, last: HeapEntry<T>, end: number): void {
    const higher = this.pathUp(last, hole);
    if (higher < hole) this.lift(last, hole, higher);
    else this.sink(last, hole, this.pathDown(last, hole, end));
  }

  private isBefore(a: HeapEntry<T>, b: HeapEntry<T>): boolean {
    const { compare } = this;
    const order = compare(a.item, b.item);
    if (order < 0) return true;
    if (order > 0) return false;
    return a.sequence < b.sequence;
  }

  /** How far up from `position` the entry has to go. */
  private pathUp(entry: HeapEntry<T>, position: number): number {
    let at = position;
    while (at > 0 && this.isBefore(entry, this.entries[parentOf(at)]!)) at = parentOf(at);
    return at;
  }

  /** How far down from `position` the entry has to go in a heap that ends before `end`. */
  private pathDown(entry: HeapEntry<T>, position: number, end: number): number {
    let at = position;
    for (let child = 2 * at + 1; child < end; child = 2 * at + 1) {
      const other = child + 1;
      if (other < end && this.isBefore(this.entries[other]!, this.entries[child]!)) child = other;
      if (!this.isBefore(this.entries[child]!, entry)) break;
      at = child;
    }
    return at;
  }

  /** Puts the entry at `to`, an ancestor of `from`; those on the path move down by one. */
  private lift(entry: HeapEntry<T>, from: number, to: number): void {
    for (let at = from; at !== to; at = parentOf(at)) this.place(this.entries[parentOf(at)]!, at);
    this.place(entry, to);
  }

  /** Puts the entry at `to`, a descendant of `from`; those on the path move up by one. */
  private sink(entry: HeapEntry<T>, from: number, to: number): void {
    let moving = entry;
    for (let at = to; at !== from; at = parentOf(at)) {
      const displaced = this.entries[at]!;
      this.place(moving, at);
      moving = displaced;
    }
    this.place(moving, from);
  }

  private place(entry: HeapEntry<T>, position: number): void {
    this.entries[position] = entry;
    entry.position = position;
  }
}

function parentOf(position: number): number {
  return (position - 1) >> 1;
}
