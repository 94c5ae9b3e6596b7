import type { ChannelBuffer } from './channel-buffer.js';
import { HeapBuffer } from './heap-buffer.js';
import { RingBuffer } from './ring-buffer.js';

/**
 * The smallest item by `compare` first, and among equals the one that came first. As long as all that is in it is equal,
 * which is the rule in many queues, it is a ring and costs what a ring costs; the first unequal item makes a heap of it,
 * until it has run empty.
 */
export class PriorityBuffer<T> implements ChannelBuffer<T> {
  private readonly ring = new RingBuffer<T>();
  private heap: HeapBuffer<T> | undefined = undefined;

  constructor(private readonly compare: (a: T, b: T) => number) {}

  get size(): number {
    return (this.heap ?? this.ring).size;
  }

  push(item: T): void {
    this.bufferFor(item).push(item);
  }

  peek(): T | undefined {
    return (this.heap ?? this.ring).peek();
  }

  shift(): T | undefined {
    if (this.heap === undefined) return this.ring.shift();
    const item = this.heap.shift();
    if (this.heap.size === 0) this.heap = undefined;
    return item;
  }

  replaceOldest(item: T): T {
    return this.bufferFor(item).replaceOldest(item);
  }

  replaceNewest(item: T): T {
    return this.bufferFor(item).replaceNewest(item);
  }

  private bufferFor(item: T): ChannelBuffer<T> {
    if (this.heap !== undefined) return this.heap;
    const first = this.ring.peek();
    if (first === undefined || this.compare(item, first) === 0) return this.ring;
    return this.becomeHeap();
  }

  private becomeHeap(): HeapBuffer<T> {
    const items: T[] = [];
    for (let item = this.ring.shift(); item !== undefined; item = this.ring.shift()) items.push(item);
    const heap = new HeapBuffer<T>(this.compare);
    try {
      for (const item of items) heap.push(item);
    } catch (error) {
      for (const item of items) this.ring.push(item); // a `compare` that throws leaves everything as it was
      throw error;
    }
    return (this.heap = heap);
  }
}
