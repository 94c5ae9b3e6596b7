import type { ChannelBuffer } from './channel-buffer.js';
import type { Fullness, FullMode } from './channel.options.js';
import { ChannelClosedError } from './errors.js';
import { WaiterQueue, type InLine } from './waiters.js';

/** `closing`: completed, with items left to read. `closed`: drained as well. It only ever moves to the right. */
type Phase = 'open' | 'closing' | 'closed';

/**
 * What both ends of a channel share: the buffer, those who wait, and whether it is completed. Each method is one
 * synchronous step that leaves these invariants standing:
 *
 * - someone waits for an item only while the buffer is empty;
 * - someone waits for space only while the buffer is full, in the mode `'wait'`;
 * - when the channel is completed, nobody waits.
 *
 * A capacity of 0 needs no code of its own: the buffer is then empty and full at once, so readers and writers both
 * wait, and meet.
 */
export class ChannelCore<T> {
  readonly completion: Promise<void>;
  readonly blockedReaders = new WaiterQueue<T>();
  readonly blockedWriters = new WaiterQueue<void, T>();
  readonly watchingReaders = new WaiterQueue<boolean>();
  readonly watchingWriters = new WaiterQueue<boolean>();

  private readonly capacity: number;
  private readonly fullMode: FullMode;
  private readonly onDropped: ((item: T) => void) | undefined;
  private phase: Phase = 'open';
  private error: unknown = undefined;
  private succeed!: () => void;
  private fail!: (error: unknown) => void;

  constructor(
    private readonly buffer: ChannelBuffer<T>,
    fullness: Fullness<T>,
  ) {
    this.capacity = fullness.capacity;
    this.fullMode = fullness.fullMode;
    this.onDropped = fullness.onDropped;
    this.completion = new Promise((resolve, reject) => {
      this.succeed = resolve;
      this.fail = reject;
    });
    // The error also reaches whoever reads or writes, so nobody has to watch this promise.
    this.completion.catch(() => {});
  }

  get count(): number {
    return this.buffer.size;
  }

  get isCompleted(): boolean {
    return this.phase !== 'open';
  }

  get isDrained(): boolean {
    return this.phase === 'closed';
  }

  get canRead(): boolean {
    return this.buffer.size > 0 || !this.blockedWriters.isEmpty;
  }

  get canWrite(): boolean {
    return this.buffer.size < this.capacity || this.fullMode !== 'wait' || !this.blockedReaders.isEmpty;
  }

  /** What a read or a write of a completed channel is refused with. */
  get refusal(): unknown {
    return isCancellation(this.error) ? this.error : new ChannelClosedError(this.error);
  }

  /** The answer to those who watch a completed channel: a quiet no, or the error itself. */
  get lastAnswer(): Promise<boolean> {
    return this.error === undefined ? Promise.resolve(false) : Promise.reject(this.error);
  }

  peek(): T | undefined {
    return this.buffer.size > 0 ? this.buffer.peek() : this.blockedWriters.firstItem;
  }

  take(): T | undefined {
    if (this.buffer.size === 0) return this.takeFromWriter();
    const item = this.buffer.shift();
    this.refill();
    if (this.phase === 'closing' && this.buffer.size === 0) this.drained();
    return item;
  }

  /** `false` when the item was not taken: the channel is completed, or it is full and writers wait. */
  offer(item: T): boolean {
    if (this.phase !== 'open') return false;
    const reader = this.blockedReaders.takeFirst();
    if (reader !== undefined) {
      reader.serve(item);
      return true;
    }
    if (this.buffer.size < this.capacity) {
      this.buffer.push(item);
      this.watchingReaders.serveAll(true);
      return true;
    }
    if (this.fullMode === 'wait') return false;
    const dropped = this.makeRoom(item);
    const { onDropped } = this;
    if (onDropped !== undefined) onDropped(dropped);
    return true;
  }

  /** Waits for an item that is not there yet. */
  waitForItem(signal: AbortSignal | undefined): Promise<T> {
    const promise = this.blockedReaders.wait(undefined, signal);
    this.readerHasCome();
    return promise;
  }

  /** Puts somebody in line for an item that is not there yet. */
  addReader(reader: InLine<T, undefined>): void {
    this.blockedReaders.add(reader);
    this.readerHasCome();
  }

  /** Waits with an item for which there is no space yet. */
  waitForSpace(item: T, signal: AbortSignal | undefined): Promise<void> {
    const promise = this.blockedWriters.wait(item, signal);
    // They watch only in a rendezvous, where a writer who waits is what a reader needs.
    this.watchingReaders.serveAll(true);
    return promise;
  }

  /** `false` when the channel has been completed before. */
  close(error: unknown): boolean {
    if (this.phase !== 'open') return false;
    this.phase = 'closing';
    // As in .NET, null is no error: `complete(error)` can sit at the end of a callback that always passes one.
    this.error = error ?? undefined;
    // Before anyone is released, so that whoever is sees a settled completion.
    if (this.buffer.size === 0) this.drained();
    this.releaseAll();
    return true;
  }

  private readerHasCome(): void {
    // They watch only in a rendezvous, where a reader who waits is what a writer needs.
    this.watchingWriters.serveAll(true);
  }

  /**
   * Gives a slot that has come free to the writer who has waited longest. In the same step, so that nobody who comes
   * later can slip in between.
   */
  private refill(): void {
    for (let next = this.blockedWriters.takeFirst(); next; next = this.blockedWriters.takeFirst()) {
      try {
        this.buffer.push(next.item);
        next.serve();
        return;
      } catch (error) {
        // An item that cannot be put in order is its writer's trouble, not that of whoever reads just now.
        next.refuse(error);
      }
    }
    this.watchingWriters.serveAll(true);
  }

  private takeFromWriter(): T | undefined {
    const writer = this.blockedWriters.takeFirst();
    if (writer === undefined) return undefined;
    writer.serve();
    return writer.item;
  }

  private makeRoom(item: T): T {
    if (this.capacity === 0 || this.fullMode === 'dropWrite') return item;
    return this.fullMode === 'dropOldest' ? this.buffer.replaceOldest(item) : this.buffer.replaceNewest(item);
  }

  private drained(): void {
    this.phase = 'closed';
    if (this.error === undefined) this.succeed();
    else this.fail(this.error);
  }

  private releaseAll(): void {
    if (!this.blockedReaders.isEmpty) this.blockedReaders.refuseAll(this.refusal);
    if (!this.blockedWriters.isEmpty) this.blockedWriters.refuseAll(this.refusal);
    for (const watching of [this.watchingReaders, this.watchingWriters]) {
      if (this.error === undefined) watching.serveAll(false);
      else watching.refuseAll(this.error);
    }
  }
}

function isCancellation(error: unknown): boolean {
  return (error as { name?: unknown } | undefined)?.name === 'AbortError';
}
