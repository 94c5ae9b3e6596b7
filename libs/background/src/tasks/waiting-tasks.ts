import { createBoundedChannel, createPriorityChannel, type Channel } from 'nestjs-nightshift/channels';
import { DueTasks } from './due-tasks.js';
import type { LocalTask } from './local-task.js';
import type { FullMode } from './queue.options.js';

/**
 * The tasks of a queue that wait, the most urgent first: a bounded channel for those that were enqueued to run at once,
 * and beside it those whose time has come. Among equally urgent ones the latter go first: the queue accepted them long
 * ago. Tasks can also be taken out, because they were cancelled or have expired.
 *
 * A channel gives up its items only in order, so a task that is taken out stays in it until that does no harm: at the
 * front it goes at once, elsewhere as soon as its place is needed. Only while producers wait does it keep its place until
 * those before it have begun.
 */
export class WaitingTasks {
  private readonly channel: Channel<LocalTask>;
  private readonly due = new DueTasks();
  private readonly capacity: number;
  /** How many in the channel do not wait any more. */
  private gone = 0;
  private blockedProducers = 0;

  constructor(
    { capacity, fullMode }: { readonly capacity: number; readonly fullMode: FullMode },
    onDropped: (task: LocalTask) => void,
  ) {
    this.capacity = capacity;
    const fullness = { capacity, fullMode, onDropped };
    // Nothing waits in a queue without capacity, so there is nothing to put in order.
    this.channel =
      capacity === 0
        ? createBoundedChannel(fullness)
        : createPriorityChannel({ ...fullness, compare: byPriority });
  }

  get size(): number {
    return this.channel.reader.count - this.gone + this.due.size;
  }

  /** Adds a task, or drops one in the modes that do; `false` when it is full, and in the mode `'wait'`. */
  tryAdd(task: LocalTask): boolean {
    if (this.channel.reader.count >= this.capacity) this.forgetGone();
    return this.channel.writer.tryWrite(task);
  }

  /**
   * Adds a task as soon as there is space.
   *
   * Rejects with the signal's reason when it is aborted first, and with `ChannelClosedError` when closed.
   */
  async add(task: LocalTask, signal: AbortSignal): Promise<void> {
    this.blockedProducers += 1;
    try {
      await this.channel.writer.write(task, { signal });
    } finally {
      this.blockedProducers -= 1;
    }
  }

  /** Adds a task whose time has come, whatever the capacity. */
  addDue(task: LocalTask): void {
    this.due.add(task);
  }

  /** Takes the first one out. */
  take(): LocalTask | undefined {
    const { reader } = this.channel;
    const due = this.due.first;
    if (due !== undefined) {
      const other = reader.tryPeek();
      if (other === undefined || byPriority(due, other) <= 0) {
        this.due.delete(due);
        return due;
      }
    }
    const task = reader.tryRead();
    this.forgetFirstGone(); // so that the front is never one that does not wait
    return task;
  }

  /** One of them does not wait any more. */
  noteGone(task: LocalTask): void {
    if (this.due.delete(task)) return;
    this.gone += 1;
    this.forgetFirstGone();
  }

  /** Takes nothing more and releases the producers who wait. What is in it can still be taken. */
  close(reason: unknown): void {
    this.channel.writer.tryComplete(reason);
  }

  private forgetFirstGone(): void {
    const { reader } = this.channel;
    while (reader.tryPeek()?.isWaiting === false) {
      reader.tryRead();
      this.gone -= 1;
    }
  }

  /** Not while producers wait: their tasks would come in between those that are put back. */
  private forgetGone(): void {
    if (this.gone === 0 || this.blockedProducers > 0) return;
    const { reader, writer } = this.channel;
    const kept: LocalTask[] = [];
    for (let task = reader.tryRead(); task !== undefined; task = reader.tryRead()) {
      if (task.isWaiting) kept.push(task);
    }
    this.gone = 0;
    // They came out by urgency. What is dropped from a full queue goes by age, so they go back in by age.
    for (const task of kept.toSorted(byAge)) writer.tryWrite(task);
  }
}

function byPriority(a: LocalTask, b: LocalTask): number {
  return a.options.priority - b.options.priority;
}

/** As far as the wall clock tells; the order among those of one millisecond, and of equal priority, stays. */
function byAge(a: LocalTask, b: LocalTask): number {
  return a.enqueuedAfterMs - b.enqueuedAfterMs;
}
