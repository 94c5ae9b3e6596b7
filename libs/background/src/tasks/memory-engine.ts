import { ChannelClosedError, createBoundedChannel, type Channel } from 'nestjs-nightshift/channels';
import { IllegalStateError, QueueClosedError, TaskAbandonedError, TaskDroppedError } from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import { isInsideBackgroundWork } from '../scopes/background-context.js';
import { MemoryTask, type TaskOwner } from './memory-task.js';
import { TaskExecution, type TaskExecutionDependencies } from './task-execution.js';
import type { DequeuedTask, TaskWork } from './task.js';
import type { ResolvedEnqueueOptions, ResolvedQueueOptions } from './tasks.options.js';

/** How long a task that ignores its aborted signal keeps its place, in milliseconds. */
const overrunGraceMs = 1_000;

/**
 * Holds the tasks of one queue in memory: those that wait in a bounded channel, those that run beside it.
 *
 * While a place to run is free and nothing waits, a task goes straight to it; otherwise it goes through the channel, and
 * whatever ends takes the next one out. So nothing ever waits on the reading end of the channel but `dequeue()`.
 */
export class MemoryEngine implements TaskOwner {
  private readonly channel: Channel<MemoryTask>;
  private readonly execution: TaskExecution;
  private readonly running = new Set<MemoryTask>();
  private readonly dequeued = new Set<MemoryTask>();
  private readonly idleWaiters: (() => void)[] = [];
  private readonly quietWaiters: (() => void)[] = [];
  private readonly outsidersReleased = new AbortController();
  /** Accepted or waiting to be accepted, and not yet ended. */
  private pending = 0;
  /** In the channel although cancelled: a channel gives up its items only in order. */
  private cancelledInChannel = 0;
  private slotsTaken = 0;
  private finishedCount = 0;
  private isOpenForRuns = false;
  private isPaused = false;

  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly dependencies: TaskExecutionDependencies,
  ) {
    this.execution = new TaskExecution(dependencies, options.timeoutMs, (task) =>
      this.releaseSlotAfterGrace(task),
    );
    this.channel = createBoundedChannel<MemoryTask>({
      capacity: options.capacity,
      fullMode: options.fullMode,
      onDropped: (task) => this.drop(task),
    });
  }

  get name(): string {
    return this.options.name;
  }

  /** How many tasks wait. */
  get size(): number {
    return this.channel.reader.count - this.cancelledInChannel;
  }

  /** How many tasks run. */
  get active(): number {
    return this.running.size;
  }

  /** How many tasks have run to their end, whatever it was. */
  get finished(): number {
    return this.finishedCount;
  }

  get closed(): boolean {
    return this.outsidersReleased.signal.aborted;
  }

  get paused(): boolean {
    return this.isPaused;
  }

  // -- putting in -----------------------------------------------------------------------------------------------

  enqueue(work: TaskWork, options: ResolvedEnqueueOptions): Promise<MemoryTask> {
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    if (this.isClosed()) return Promise.reject(new QueueClosedError(this.name));
    const task = this.create(work, options);
    if (!this.offer(task)) return this.waitForSpace(task);
    return Promise.resolve(task);
  }

  tryEnqueue(work: TaskWork, options: ResolvedEnqueueOptions): MemoryTask | undefined {
    if (this.isClosed()) throw new QueueClosedError(this.name);
    const task = this.create(work, options);
    if (!this.offer(task)) {
      this.leave();
      return undefined;
    }
    return task.isWaiting || task.isActive ? task : undefined; // not when dropping it made the room
  }

  // -- taking out -----------------------------------------------------------------------------------------------

  async dequeue(signal: AbortSignal | undefined): Promise<DequeuedTask> {
    if (this.options.concurrency > 0) {
      throw new IllegalStateError(
        `queue '${this.name}'`,
        `run by its own workers (concurrency ${this.options.concurrency})`,
        'dequeue()',
      );
    }
    for (;;) {
      const task = await this.channel.reader
        .read(signal === undefined ? {} : { signal })
        .catch((error: unknown) => {
          throw error instanceof ChannelClosedError ? new QueueClosedError(this.name) : error;
        });
      if (!this.takeOut(task)) continue;
      this.dequeued.add(task);
      return this.toDequeued(task);
    }
  }

  pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.dependencies.events.emit('queue.paused', { queue: this.name });
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.dependencies.events.emit('queue.resumed', { queue: this.name });
    this.pump();
  }

  whenIdle(): Promise<void> {
    if (this.pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  /** Resolves when nothing runs, whatever waits. */
  whenQuiet(): Promise<void> {
    if (this.running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.quietWaiters.push(resolve));
  }

  // -- life -----------------------------------------------------------------------------------------------------

  /** From now on tasks run. */
  open(): void {
    this.isOpenForRuns = true;
    this.pump();
  }

  /** From now on only running work may add to the queue; whoever waits for space outside of it is released. */
  closeToOutsiders(): void {
    this.outsidersReleased.abort(new QueueClosedError(this.name));
  }

  /** What runs, by name. */
  get runningTasks(): readonly TaskLabel[] {
    return [...this.running].map(({ label }) => label);
  }

  /** Takes nothing more, gives up what has not begun, and aborts what runs. Returns what has not begun. */
  close(): readonly TaskLabel[] {
    this.isOpenForRuns = false;
    this.closeToOutsiders();
    this.channel.writer.tryComplete(new QueueClosedError(this.name));
    const waiting = [...this.dequeued];
    for (let task = this.channel.reader.tryRead(); task !== undefined; task = this.channel.reader.tryRead()) {
      if (this.takeOut(task)) waiting.push(task);
    }
    this.dequeued.clear();
    for (const task of waiting) {
      task.settle('cancelled', new TaskAbandonedError(task.id, this.name));
      this.leave();
    }
    for (const task of this.running) task.abort(new TaskAbandonedError(task.id, this.name));
    return waiting.map(({ label }) => label);
  }

  onCancelled(task: MemoryTask, wasActive: boolean, reason: unknown): void {
    this.dependencies.events.emit('task.cancelled', { ...task.label, queue: this.name, reason });
    if (wasActive) return this.releaseSlotAfterGrace(task);
    if (task.holdsSlot) return; // run() finds it cancelled
    if (!this.dequeued.delete(task)) this.cancelledInChannel += 1;
    this.leave();
  }

  // -- inside: accepting ----------------------------------------------------------------------------------------

  private create(work: TaskWork, options: ResolvedEnqueueOptions): MemoryTask {
    this.pending += 1;
    return new MemoryTask(this, work, options, this.dependencies.clock.now());
  }

  private offer(task: MemoryTask): boolean {
    if (this.hasFreeSlot && this.channel.reader.count === 0) this.startSoon(task);
    else if (!this.channel.writer.tryWrite(task)) return false;
    if (task.isWaiting) this.announce(task); // not when it was dropped at once
    return true;
  }

  private async waitForSpace(task: MemoryTask): Promise<MemoryTask> {
    const { signal } = task.options;
    const released = isInsideBackgroundWork() ? undefined : this.outsidersReleased.signal;
    const signals = [signal, released].filter((each) => each !== undefined);
    try {
      const either = signals.length === 2 ? AbortSignal.any(signals) : signals[0];
      await this.channel.writer.write(task, either === undefined ? {} : { signal: either });
    } catch (error) {
      this.leave();
      throw error instanceof ChannelClosedError ? new QueueClosedError(this.name) : error;
    }
    this.announce(task);
    return task;
  }

  private announce(task: MemoryTask): void {
    const { events } = this.dependencies;
    if (events.wants('task.enqueued')) events.emit('task.enqueued', { ...task.label, queue: this.name });
  }

  private isClosed(): boolean {
    return this.closed && (!this.isOpenForRuns || !isInsideBackgroundWork());
  }

  private drop(task: MemoryTask): void {
    const { fullMode, onDropped } = this.options;
    if (!task.isWaiting) {
      this.cancelledInChannel -= 1; // was cancelled: nothing is lost
      return;
    }
    task.settle('discarded', new TaskDroppedError(task.id, this.name, fullMode));
    this.dependencies.events.emit('task.dropped', { ...task.label, queue: this.name, fullMode });
    this.leave();
    onDropped?.(task);
  }

  // -- inside: running ------------------------------------------------------------------------------------------

  private get hasFreeSlot(): boolean {
    return this.isOpenForRuns && !this.isPaused && this.slotsTaken < this.options.concurrency;
  }

  /** Starts what waits, as far as there are places. */
  private pump(): void {
    while (this.hasFreeSlot) {
      const task = this.channel.reader.tryRead();
      if (task === undefined) return;
      if (this.takeOut(task)) this.startSoon(task);
    }
  }

  /** Whether a task read from the channel is still to be run. */
  private takeOut(task: MemoryTask): boolean {
    if (task.isWaiting) return true;
    this.cancelledInChannel -= 1;
    return false;
  }

  /** Takes a place now and runs a moment later, so that `enqueue()` never runs the work inside the call. */
  private startSoon(task: MemoryTask): void {
    this.slotsTaken += 1;
    task.holdsSlot = true;
    this.running.add(task);
    queueMicrotask(() => void this.run(task));
  }

  private toDequeued(task: MemoryTask): DequeuedTask {
    let run: Promise<void> | undefined;
    const begin = async (signal: AbortSignal | undefined): Promise<void> => {
      this.dequeued.delete(task);
      if (!task.isWaiting) return;
      this.running.add(task);
      const abort = (): void => task.abort(signal!.reason);
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort, { once: true });
      await this.run(task);
      signal?.removeEventListener('abort', abort);
    };
    return {
      id: task.id,
      queue: this.name,
      name: task.name,
      enqueuedAt: task.enqueuedAt,
      run: ({ signal } = {}) => (run ??= begin(signal)),
    };
  }

  private async run(task: MemoryTask): Promise<void> {
    if (task.isWaiting) {
      await this.execution.run(task);
      this.finishedCount += 1;
    }
    this.running.delete(task);
    task.graceTimer?.cancel();
    this.leave();
    if (task.holdsSlot) this.releaseSlot(task);
  }

  private releaseSlot(task: MemoryTask): void {
    task.holdsSlot = false;
    this.slotsTaken -= 1;
    this.pump();
  }

  /** One task that does not let go must not hold up all that wait behind it. */
  private releaseSlotAfterGrace(task: MemoryTask): void {
    const { clock, events } = this.dependencies;
    task.graceTimer ??= clock.schedule(overrunGraceMs, () => {
      events.emit('task.overran', { ...task.label, queue: this.name, graceMs: overrunGraceMs });
      if (task.holdsSlot) this.releaseSlot(task);
    });
  }

  private leave(): void {
    this.pending -= 1;
    if (this.pending === 0) for (const resolve of this.idleWaiters.splice(0)) resolve();
    if (this.running.size === 0) for (const resolve of this.quietWaiters.splice(0)) resolve();
  }
}
