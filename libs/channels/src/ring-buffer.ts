import type { ChannelBuffer } from './channel-buffer.js';

const firstLength = 16;
const longestKeptLength = 1_024;

/**
 * First in, first out, in a circle of slots. The circle doubles when it is full, so that a capacity of a thousand
 * million costs nothing until it is used, and a large one is let go when it has run empty, so that one burst does
 * not hold its memory for ever.
 */
export class RingBuffer<T> implements ChannelBuffer<T> {
  private slots: (T | undefined)[] = [];
  /** The number of slots less one. That number is a power of two, which makes wrapping round a bitwise "and". */
  private mask = -1;
  private head = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  push(item: T): void {
    if (this.count > this.mask) this.grow();
    this.slots[(this.head + this.count) & this.mask] = item;
    this.count++;
  }

  peek(): T | undefined {
    return this.slots[this.head]; // a slot that holds no item holds undefined
  }

  shift(): T | undefined {
    if (this.count === 0) return undefined;
    const item = this.slots[this.head];
    this.slots[this.head] = undefined;
    this.head = (this.head + 1) & this.mask;
    this.count--;
    if (this.count === 0 && this.mask >= longestKeptLength) this.letGo();
    return item;
  }

  replaceOldest(item: T): T {
    const oldest = this.slots[this.head] as T;
    // In a circle that is part empty the newcomer goes elsewhere than where the oldest was.
    this.slots[this.head] = undefined;
    this.slots[(this.head + this.count) & this.mask] = item;
    this.head = (this.head + 1) & this.mask;
    return oldest;
  }

  replaceNewest(item: T): T {
    const tail = (this.head + this.count - 1) & this.mask;
    const newest = this.slots[tail] as T;
    this.slots[tail] = item;
    return newest;
  }

  private grow(): void {
    const { slots, head } = this;
    const length = Math.max(firstLength, slots.length * 2);
    const grown = slots.slice(head).concat(slots.slice(0, head));
    grown.length = length;
    this.slots = grown;
    this.mask = length - 1;
    this.head = 0;
  }

  private letGo(): void {
    this.slots = [];
    this.mask = -1;
    this.head = 0;
  }
}
