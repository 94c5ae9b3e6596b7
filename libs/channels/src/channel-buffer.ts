/**
 * Where a channel keeps its items, and which of them is next. Capacity is the channel's business, not the buffer's:
 * a buffer takes what it is given.
 */
export interface ChannelBuffer<T> {
  readonly size: number;
  push(item: T): void;
  /** The item to be read next, without removing it; `undefined` when there is none. */
  peek(): T | undefined;
  /** Removes and returns the item to be read next; `undefined` when there is none. */
  shift(): T | undefined;
  /** Puts `item` in and takes out the one that has been here longest, which it returns. Needs an item to be here. */
  replaceOldest(item: T): T;
  /** Puts `item` in and takes out the one that came in last, which it returns. Needs an item to be here. */
  replaceNewest(item: T): T;
}
