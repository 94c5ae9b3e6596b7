import { ChannelClosedError } from 'nestjs-nightshift/channels';
import {
  IllegalStateError,
  QueueClosedError,
  QueueSelfWaitError,
  TaskAbandonedError,
  TaskDroppedError,
} from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import { Deadline } from '../hosting/deadline.js';
import { isInsideBackgroundWork } from '../scopes/background-context.js';
import { DequeueLine } from './dequeue-line.js';
import { MemoryTask, type TaskOwner } from './memory-task.js';
import type { TaskExecutionDependencies } from './task-execution.js';
import { TaskWorkers } from './task-workers.js';
import { TakenTask } from './taken-task.js';
import type { DequeuedTask, TaskWork } from './task.js';
import type { ResolvedEnqueueOptions, ResolvedQueueOptions } from './tasks.options.js';
import { WaitList } from './wait-list.js';
import { WaitingTasks } from './waiting-tasks.js';

/**
 * Holds the tasks of one queue in memory: those that wait in a bounded channel, those that run beside it.
 *
 * While somebody is there to take it and nothing waits, a task goes straight to them; otherwise it goes through the
 * channel, and whoever comes free takes the next one out. So nothing ever waits on the reading end of the channel.
 */
export class MemoryEngine implements TaskOwner {
  readonly madeAtMs: number;
  /** To all but running work. */
  isClosedToOutsiders = false;
  private readonly waiting: WaitingTasks;
  private readonly workers: TaskWorkers;
  /** Taken out by `dequeue()`, and not yet run. */
  private readonly dequeued = new Set<MemoryTask>();
  private readonly dequeuers = new DequeueLine();
  private readonly becomingIdle = new WaitList();
  private readonly becomingPaused = new WaitList();
  private readonly outsidersReleased = new AbortController();
  /** Accepted or waiting to be accepted, and not yet ended. */
  private pending = 0;
  private isOpenForRuns = false;
  private isFinallyClosed = false;
  private isPaused = false;

  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly dependencies: TaskExecutionDependencies,
  ) {
    this.madeAtMs = dependencies.clock.now();
    this.workers = new TaskWorkers(options, dependencies, {
      onEnded: () => this.leave(),
      onPlaceFree: () => this.pump(),
    });
    this.waiting = new WaitingTasks(options, (task) => this.drop(task));
  }

  get name(): string {
    return this.options.name;
  }

  /** How many tasks wait. */
  get size(): number {
    return this.waiting.size;
  }

  /** How many tasks run. */
  get active(): number {
    return this.workers.active;
  }

  /** How many tasks have run to their end, whatever it was. */
  get finished(): number {
    return this.workers.finished;
  }

  get paused(): boolean {
    return this.isPaused;
  }

  /** Whether it is closed to everyone, and holds nothing that has not begun. */
  get isOver(): boolean {
    return this.isFinallyClosed;
  }

  /** Whether nothing waits and nothing runs. */
  get isIdle(): boolean {
    return this.pending === 0;
  }

  /** Whether what waits is going to be run: not when paused, never opened, or run by a worker of the user's own. */
  get runsWhatWaits(): boolean {
    return this.options.concurrency > 0 && this.isOpenForRuns && !this.isPaused;
  }

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

  dequeue(signal: AbortSignal | undefined): Promise<DequeuedTask> {
    const { concurrency } = this.options;
    if (concurrency > 0) {
      const state = `run by its own workers (concurrency ${concurrency})`;
      return Promise.reject(new IllegalStateError(`queue '${this.name}'`, state, 'dequeue()'));
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.isFinallyClosed) return Promise.reject(new QueueClosedError(this.name));
    const dequeued = this.dequeuers.wait(signal);
    this.pump();
    return dequeued;
  }

  pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.becomingPaused.release();
    this.dependencies.events.emit('queue.paused', { queue: this.name });
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.dependencies.events.emit('queue.resumed', { queue: this.name });
    this.pump();
  }

  whenIdle(): Promise<void> {
    return this.pending === 0 ? Promise.resolve() : this.becomingIdle.wait();
  }

  /** Resolves when the queue is paused. */
  whenPaused(): Promise<void> {
    return this.becomingPaused.wait();
  }

  /** Resolves when nothing runs, whatever waits. */
  whenQuiet(): Promise<void> {
    return this.workers.whenQuiet();
  }

  /** From now on tasks run. */
  open(): void {
    this.isOpenForRuns = true;
    this.pump();
  }

  /** From now on only running work may add to the queue; whoever waits for space outside of it is released. */
  closeToOutsiders(): void {
    this.isClosedToOutsiders = true;
    this.outsidersReleased.abort(new QueueClosedError(this.name));
  }

  /** What runs, by name. */
  get runningTasks(): readonly TaskLabel[] {
    return this.workers.labels;
  }

  /** Takes nothing more, gives up what has not begun, and aborts what runs. Says which were which. */
  close(): { readonly waiting: readonly TaskLabel[]; readonly aborted: readonly TaskLabel[] } {
    this.isOpenForRuns = false;
    this.isFinallyClosed = true;
    this.closeToOutsiders();
    this.waiting.close(new QueueClosedError(this.name));
    this.dequeuers.refuseAll(new QueueClosedError(this.name));
    const waiting = [...this.dequeued];
    this.dequeued.clear();
    for (let task = this.waiting.take(); task !== undefined; task = this.waiting.take()) waiting.push(task);
    for (const task of waiting) {
      task.settle('cancelled', new TaskAbandonedError(task.id, this.name));
      this.leave();
    }
    return { waiting: waiting.map(({ label }) => label), aborted: this.workers.abortAll() };
  }

  /** Waits no more for what was aborted and still runs: its outcome is that it was given up. */
  giveUpRunning(): void {
    this.workers.giveUpAll();
  }

  onCancelled(task: MemoryTask, wasActive: boolean, reason: unknown): void {
    this.dependencies.events.emit('task.cancelled', { ...task.label, queue: this.name, reason });
    if (wasActive) return this.workers.freePlaceAfterGrace(task);
    if (this.workers.has(task)) return; // its worker finds it cancelled
    if (!this.dequeued.delete(task)) this.waiting.noteCancelled();
    this.leave();
  }

  private create(work: TaskWork, options: ResolvedEnqueueOptions): MemoryTask {
    this.pending += 1;
    return new MemoryTask(this, work, options, this.dependencies.clock.now() - this.madeAtMs);
  }

  private offer(task: MemoryTask): boolean {
    if (this.canHandOut && this.waiting.size === 0) this.handOut(task);
    else if (!this.waiting.tryAdd(task)) return false;
    this.announce(task);
    return true;
  }

  private async waitForSpace(task: MemoryTask): Promise<MemoryTask> {
    const producer = this.workers.callingExecution();
    // With a signal the wait has an end of its own.
    const waitsForever = task.options.signal === undefined;
    if (producer !== undefined && waitsForever && this.workers.allWaitForSpaceWith(producer)) {
      this.leave();
      throw new QueueSelfWaitError(this.name, this.options.concurrency);
    }
    const released = isInsideBackgroundWork() ? undefined : this.outsidersReleased.signal;
    using waiting = new Deadline(this.dependencies.clock, Infinity, () => {}, [
      task.options.signal,
      released,
    ]);
    if (producer !== undefined) producer.waitsForSpace += 1;
    try {
      await this.waiting.add(task, waiting.signal);
    } catch (error) {
      this.leave();
      throw error instanceof ChannelClosedError ? new QueueClosedError(this.name) : error;
    } finally {
      if (producer !== undefined) producer.waitsForSpace -= 1;
    }
    this.announce(task);
    return task;
  }

  /** Says that a task is accepted: once, and not when it was dropped or given up in the same step. */
  private announce(task: MemoryTask): void {
    if (task.isAnnounced || !task.isWaiting) return;
    task.isAnnounced = true;
    const { events } = this.dependencies;
    if (events.wants('task.enqueued')) events.emit('task.enqueued', { ...task.label, queue: this.name });
  }

  private isClosed(): boolean {
    return this.isClosedToOutsiders && (!this.isOpenForRuns || !isInsideBackgroundWork());
  }

  private drop(task: MemoryTask): void {
    const { fullMode, onDropped } = this.options;
    const { events } = this.dependencies;
    task.settle('discarded', new TaskDroppedError(task.id, this.name, fullMode));
    events.emit('task.dropped', { ...task.label, queue: this.name, fullMode });
    this.leave();
    // No fault of whoever enqueues just now.
    const failed = (error: unknown): void =>
      events.emit('listener.failed', { during: 'task.dropped', error });
    try {
      const result: unknown = onDropped?.(task);
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Whether somebody is there to take a task. */
  private get canHandOut(): boolean {
    if (this.isPaused) return false;
    return !this.dequeuers.isEmpty || (this.isOpenForRuns && this.workers.hasFreePlace);
  }

  /** Hands out what waits, as far as there is somebody to take it. */
  private pump(): void {
    while (this.canHandOut) {
      const task = this.waiting.take();
      if (task === undefined) return;
      this.handOut(task);
    }
  }

  private handOut(task: MemoryTask): void {
    this.announce(task); // it may begin before the producer who waited hears that it is accepted
    if (this.dequeuers.isEmpty) return this.workers.startSoon(task);
    this.dequeued.add(task);
    this.dequeuers.serve(new TakenTask(task, (taken) => this.runTaken(taken)));
  }

  private async runTaken(task: MemoryTask): Promise<void> {
    this.dequeued.delete(task);
    if (task.isWaiting) await this.workers.runBeside(task);
  }

  private leave(): void {
    this.pending -= 1;
    if (this.pending === 0) this.becomingIdle.release();
  }
}
