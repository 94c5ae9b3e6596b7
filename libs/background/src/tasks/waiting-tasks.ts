import { createBoundedChannel, type Channel } from 'nestjs-nightshift/channels';
import type { MemoryTask } from './memory-task.js';
import type { ResolvedQueueOptions } from './tasks.options.js';

/**
 * The tasks of a queue that wait: a bounded channel, out of which a task can also be cancelled.
 *
 * A channel gives up its items only in order, so a cancelled task stays in it until that does no harm: at the front it
 * goes at once, elsewhere as soon as its place is needed. Only while producers wait does it keep its place until those
 * before it have begun.
 */
export class WaitingTasks {
  private readonly channel: Channel<MemoryTask>;
  private readonly capacity: number;
  private cancelled = 0;
  private blockedProducers = 0;

  constructor(
    { capacity, fullMode }: Pick<ResolvedQueueOptions, 'capacity' | 'fullMode'>,
    onDropped: (task: MemoryTask) => void,
  ) {
    this.capacity = capacity;
    this.channel = createBoundedChannel({ capacity, fullMode, onDropped });
  }

  get size(): number {
    return this.channel.reader.count - this.cancelled;
  }

  /** Adds a task, or drops one in the modes that do; `false` when it is full, and in the mode `'wait'`. */
  tryAdd(task: MemoryTask): boolean {
    if (this.channel.reader.count >= this.capacity) this.forgetCancelled();
    return this.channel.writer.tryWrite(task);
  }

  /**
   * Adds a task as soon as there is space.
   *
   * Rejects with the signal's reason when it is aborted first, and with `ChannelClosedError` when closed.
   */
  async add(task: MemoryTask, signal: AbortSignal): Promise<void> {
    this.blockedProducers += 1;
    try {
      await this.channel.writer.write(task, { signal });
    } finally {
      this.blockedProducers -= 1;
    }
  }

  /** Takes the first one out. */
  take(): MemoryTask | undefined {
    const task = this.channel.reader.tryRead();
    this.forgetFirstCancelled(); // so that the front is never a cancelled one
    return task;
  }

  /** One of them has been cancelled. */
  noteCancelled(): void {
    this.cancelled += 1;
    this.forgetFirstCancelled();
  }

  /** Takes nothing more and releases the producers who wait. What is in it can still be taken. */
  close(reason: unknown): void {
    this.channel.writer.tryComplete(reason);
  }

  private forgetFirstCancelled(): void {
    const { reader } = this.channel;
    while (reader.tryPeek()?.isWaiting === false) {
      reader.tryRead();
      this.cancelled -= 1;
    }
  }

  /** Not while producers wait: their tasks would come in between those that are put back. */
  private forgetCancelled(): void {
    if (this.cancelled === 0 || this.blockedProducers > 0) return;
    const kept: MemoryTask[] = [];
    for (let task = this.take(); task !== undefined; task = this.take()) kept.push(task);
    for (const task of kept) this.channel.writer.tryWrite(task);
  }
}
