// Long because it is the one place that knows where each task is; what the places themselves do is in files of their own.
import { ChannelClosedError } from 'nestjs-nightshift/channels';
import {
  IllegalStateError,
  NotSupportedError,
  PartlyEnqueuedError,
  QueueClosedError,
  QueueSelfWaitError,
  TaskAbandonedError,
  TaskDroppedError,
  TaskExpiredError,
} from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import { Deadline } from '../hosting/deadline.js';
import { isInsideBackgroundWork } from '../scopes/background-context.js';
import { DequeueLine } from './dequeue-line.js';
import { LocalTask, type TaskOwner } from './local-task.js';
import { ExpiringTasks } from './expiring-tasks.js';
import { HeldTasks, type HeldState } from './held-tasks.js';
import type { ResolvedRetryOptions } from './retry-policy.js';
import type { Postponement, TaskExecutionDependencies } from './task-execution.js';
import { TaskWorkers } from './task-workers.js';
import { TakenTask } from './taken-task.js';
import type { DequeuedTask } from './task.js';
import type { ResolvedQueueOptions } from './queue.options.js';
import type { TaskCounts, TaskDetails, TaskFilter, TaskPage, TaskQuery } from './task-record.js';
import { UniqueTasks, waitAlong } from './unique-tasks.js';
import { WaitList } from './wait-list.js';
import { WaitingTasks } from './waiting-tasks.js';
import type { EngineCapabilities, EnqueueRequest, LeftWork, QueueEngine } from './queue-engine.js';
import { memoryCapacity } from './queue.options.js';

/** The last instant that a `Date` can tell. */
const latestDateMs = 8_640_000_000_000_000;

/**
 * Holds the tasks of one queue in memory: those that wait in a bounded channel, those that run beside it, and those whose
 * time has not come behind it.
 *
 * While somebody is there to take it and nothing waits, a task goes straight to them; otherwise it goes through the
 * channel, and whoever comes free takes the next one out. So nothing ever waits on the reading end of the channel.
 */
export class MemoryEngine implements TaskOwner, QueueEngine {
  readonly capabilities = memoryCapabilities;
  readonly capacity: number;
  readonly madeAtMs: number;
  /** To all but running work. */
  isClosedToOutsiders = false;
  private readonly waiting: WaitingTasks;
  private readonly workers: TaskWorkers;
  /** Scheduled, or to be retried. */
  private readonly held: HeldTasks;
  private readonly expiring: ExpiringTasks;
  private readonly unique = new UniqueTasks();
  /** Taken out by `dequeue()`, and not yet run. */
  private readonly dequeued = new Set<LocalTask>();
  private readonly dequeuers = new DequeueLine();
  private readonly becomingIdle = new WaitList();
  private readonly becomingCalm = new WaitList();
  private readonly outsidersReleased = new AbortController();
  /** Accepted or waiting to be accepted, and not yet ended: all but those whose time has not come for the first time. */
  private pending = 0;
  private isOpenForRuns = false;
  private isFinallyClosed = false;
  private isHeldBack = false;

  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly dependencies: TaskExecutionDependencies,
  ) {
    this.madeAtMs = dependencies.clock.now();
    this.workers = new TaskWorkers(options, dependencies, {
      takesTasksBack: () => !this.isFinallyClosed,
      keepsInterrupted: false,
      onEnded: (task, postponed) => this.onEnded(task, postponed),
      onPlaceFree: () => this.pump(),
    });
    this.held = new HeldTasks(
      dependencies.clock,
      (task, was) => this.fallDue(task, was),
      () => this.pump(), // not before: of those that are due together the most urgent goes first
    );
    this.expiring = new ExpiringTasks(dependencies.clock, (task) => this.onExpired(task));
    this.capacity = options.capacity ?? memoryCapacity;
    const { fullMode } = options;
    this.waiting = new WaitingTasks({ capacity: this.capacity, fullMode }, (task) => this.drop(task));
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

  /** How many tasks are held until their time comes. */
  get scheduled(): number {
    return this.held.size;
  }

  get retryOptions(): ResolvedRetryOptions {
    return this.options.retry;
  }

  /** How many tasks have run to their end, whatever it was. */
  get finished(): number {
    return this.workers.finished;
  }

  get isPaused(): boolean {
    return this.isHeldBack;
  }

  /** Whether it is closed to everyone, and holds nothing that has not begun. */
  get isOver(): boolean {
    return this.isFinallyClosed;
  }

  willRunBefore(time: number): boolean {
    if (!this.runsWhatWaits) return false;
    if (this.pending > this.held.retrying) return true;
    // With no limit, tasks that are scheduled are not counted: they may be due in years.
    if (time === Number.POSITIVE_INFINITY) return this.held.retrying > 0;
    return this.held.nextAt !== undefined && this.held.nextAt < time;
  }

  /** Whether what waits is going to be run: not when paused, never opened, or run by a worker of the user's own. */
  private get runsWhatWaits(): boolean {
    return this.options.concurrency > 0 && this.isOpenForRuns && !this.isHeldBack;
  }

  enqueue(request: EnqueueRequest): Promise<LocalTask> {
    const { options } = request;
    if (options.transaction !== undefined) return Promise.reject(this.notInTransactions());
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    if (this.isClosed()) return Promise.reject(new QueueClosedError(this.name));
    const { deduplication } = options;
    if (deduplication === undefined) return this.add(this.create(request));
    const { key } = deduplication;
    const twin = this.unique.find(key);
    const entry = twin && this.unique.entryOf(twin);
    if (entry !== undefined) {
      return this.waitAsProducer(options.signal, () =>
        waitAlong(entry, options.signal, {
          entered: (task) => this.deduplicate(task, key),
          otherwise: () => this.enqueue(request),
        }),
      );
    }
    if (twin !== undefined) return Promise.resolve(this.deduplicate(twin, key));
    const task = this.create(request);
    const added = this.add(task);
    if (!task.isAnnounced) this.unique.noteEntering(task, added);
    return added;
  }

  async enqueueMany(requests: readonly EnqueueRequest[]): Promise<readonly LocalTask[]> {
    const tasks: LocalTask[] = [];
    for (const request of requests) {
      try {
        tasks.push(await this.enqueue(request));
      } catch (error) {
        if (tasks.length === 0) throw error;
        throw new PartlyEnqueuedError(this.name, tasks, requests.length, { cause: error });
      }
    }
    return tasks;
  }

  tryEnqueue(request: EnqueueRequest): LocalTask | undefined {
    const { options } = request;
    if (options.transaction !== undefined) throw this.notInTransactions();
    if (this.isClosed()) throw new QueueClosedError(this.name);
    const key = options.deduplication?.key;
    const twin = key === undefined ? undefined : this.unique.find(key);
    if (twin !== undefined) {
      // What waits for space has not been accepted, and there is none for this one either.
      return this.unique.entryOf(twin) ? undefined : this.deduplicate(twin, key!);
    }
    const task = this.create(request);
    if (this.schedule(task)) return task;
    if (!this.offer(task)) {
      this.leave(task);
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

  pause(): Promise<void> {
    if (!this.isHeldBack) {
      this.isHeldBack = true;
      this.becomingCalm.release();
      this.dependencies.events.emit('queue.paused', { queue: this.name });
    }
    return Promise.resolve();
  }

  resume(): Promise<void> {
    if (this.isHeldBack) {
      this.isHeldBack = false;
      this.dependencies.events.emit('queue.resumed', { queue: this.name });
      this.pump();
    }
    return Promise.resolve();
  }

  whenIdle(): Promise<void> {
    return this.pending === 0 ? Promise.resolve() : this.becomingIdle.wait();
  }

  find(_id: string): Promise<LocalTask | undefined> {
    return Promise.reject(new Error('to come'));
  }

  details(_id: string): Promise<TaskDetails | undefined> {
    return Promise.reject(new Error('to come'));
  }

  search(_query: TaskQuery): Promise<TaskPage> {
    return Promise.reject(new Error('to come'));
  }

  counts(): Promise<TaskCounts> {
    return Promise.reject(new Error('to come'));
  }

  retry(_filter: TaskFilter): Promise<number> {
    return Promise.reject(new Error('to come'));
  }

  cancel(_filter: TaskFilter, _reason: unknown): Promise<number> {
    return Promise.reject(new Error('to come'));
  }

  remove(_filter: TaskFilter): Promise<number> {
    return Promise.reject(new Error('to come'));
  }

  whenCalm(): Promise<void> {
    return this.becomingCalm.wait();
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

  /** Takes nothing more, gives up what does not run, and aborts what runs. Says which were which. */
  close(): LeftWork {
    this.isOpenForRuns = false;
    this.isFinallyClosed = true;
    this.closeToOutsiders();
    this.waiting.close(new QueueClosedError(this.name));
    this.dequeuers.refuseAll(new QueueClosedError(this.name));
    const waiting = [...this.dequeued];
    this.dequeued.clear();
    for (let task = this.waiting.take(); task !== undefined; task = this.waiting.take()) waiting.push(task);
    const { scheduled, retrying } = this.held.takeAll();
    this.pending += scheduled.length;
    const left = { waiting: [...waiting, ...scheduled].map(labelOf), retrying: retrying.map(labelOf) };
    for (const task of [...waiting, ...scheduled, ...retrying]) {
      task.settle('cancelled', new TaskAbandonedError(task.id, this.name, task.lastError));
      this.leave(task);
    }
    return { ...left, aborted: this.workers.abortAll() };
  }

  /** Waits no more for what was aborted and still runs: its outcome is that it was given up. */
  giveUpRunning(): Promise<void> {
    this.workers.giveUpAll();
    return Promise.resolve();
  }

  onBegun(task: LocalTask): void {
    this.expiring.delete(task);
  }

  onCancelled(task: LocalTask, wasActive: boolean, reason: unknown): void {
    this.dependencies.events.emit('task.cancelled', { ...task.label, queue: this.name, reason });
    if (wasActive) this.workers.freePlaceAfterGrace(task);
    else this.takeOut(task);
  }

  private onExpired(task: LocalTask): void {
    this.expire(task);
    this.takeOut(task);
  }

  private expire(task: LocalTask): void {
    const expiresInMs = task.options.expiresInMs!;
    task.settle('expired', new TaskExpiredError(task.id, this.name, expiresInMs));
    this.dependencies.events.emit('task.expired', { ...task.label, queue: this.name, expiresInMs });
  }

  /** Takes a task that has come to its end without running from where it is. */
  private takeOut(task: LocalTask): void {
    if (this.workers.has(task)) return; // its worker finds it settled
    const held = this.held.delete(task);
    if (held === 'scheduled') this.pending += 1;
    else if (held === undefined && !this.dequeued.delete(task)) this.waiting.noteGone(task);
    this.leave(task);
  }

  private create({ work, options, typed }: EnqueueRequest): LocalTask {
    this.pending += 1;
    const task = new LocalTask(this, work, options, this.dependencies.clock.now() - this.madeAtMs, typed);
    if (options.deduplication !== undefined) this.unique.add(options.deduplication.key, task);
    return task;
  }

  private add(task: LocalTask): Promise<LocalTask> {
    return this.schedule(task) || this.offer(task) ? Promise.resolve(task) : this.waitForSpace(task);
  }

  private deduplicate(task: LocalTask, key: string): LocalTask {
    this.dependencies.events.emit('task.deduplicated', { ...task.label, queue: this.name, key });
    return task;
  }

  /** Holds a task back whose time has not come; `false` when it has. */
  private schedule(task: LocalTask): boolean {
    const { delayMs, runAtMs } = task.options;
    if (delayMs === undefined && runAtMs === undefined) return false;
    const now = this.dependencies.clock.now();
    const waitMs = delayMs ?? runAtMs! - now;
    if (waitMs <= 0) return false;
    this.pending -= 1;
    task.holdBack();
    this.held.add(task, waitMs);
    this.announce(task);
    const runAt = new Date(Math.min(now + waitMs, latestDateMs));
    this.dependencies.events.emit('task.scheduled', { ...task.label, queue: this.name, runAt });
    return true;
  }

  private fallDue(task: LocalTask, was: HeldState): void {
    if (was === 'scheduled') this.pending += 1;
    task.fallDue();
    this.waiting.addDue(task);
  }

  private onEnded(task: LocalTask, postponed: Postponement | undefined): void {
    if (postponed === undefined) return this.leave(task);
    this.held.add(task, postponed.delayMs);
    this.noteCalm();
  }

  private offer(task: LocalTask): boolean {
    if (this.canHandOut && this.waiting.size === 0) this.handOut(task);
    else if (!this.waiting.tryAdd(task)) return false;
    this.announce(task);
    return true;
  }

  private async waitForSpace(task: LocalTask): Promise<LocalTask> {
    const { signal } = task.options;
    const released = isInsideBackgroundWork() ? undefined : this.outsidersReleased.signal;
    using waiting = new Deadline(this.dependencies.clock, Infinity, () => {}, [signal, released]);
    try {
      await this.waitAsProducer(signal, () => this.waiting.add(task, waiting.signal));
    } catch (error) {
      this.leave(task);
      throw error instanceof ChannelClosedError ? new QueueClosedError(this.name) : error;
    }
    this.announce(task);
    return task;
  }

  /** Waits until there is space. Work of this queue that does so may be what it waits for. */
  private async waitAsProducer<T>(signal: AbortSignal | undefined, wait: () => Promise<T>): Promise<T> {
    const producer = this.workers.callingExecution();
    if (producer === undefined) return wait();
    // With a signal the wait has an end of its own.
    if (signal === undefined && this.workers.allWaitForSpaceWith(producer))
      throw new QueueSelfWaitError(this.name, this.options.concurrency);
    producer.waitsForSpace += 1;
    try {
      return await wait();
    } finally {
      producer.waitsForSpace -= 1;
    }
  }

  /** Says that a task is accepted: once, and not when it was dropped or given up in the same step. */
  private announce(task: LocalTask): void {
    if (task.isAnnounced || task.isSettled) return;
    task.isAnnounced = true;
    const { clock, events } = this.dependencies;
    const { expiresInMs } = task.options;
    if (expiresInMs !== undefined) {
      const waitedMs = clock.now() - task.enqueuedAt.getTime(); // for space
      this.expiring.add(task, Math.max(0, expiresInMs - waitedMs));
    }
    if (events.wants('task.enqueued')) events.emit('task.enqueued', { ...task.label, queue: this.name });
  }

  private notInTransactions(): NotSupportedError {
    return new NotSupportedError('memory', 'transaction', memoryCapabilities.lacks.transaction!);
  }

  private isClosed(): boolean {
    return this.isClosedToOutsiders && (!this.isOpenForRuns || !isInsideBackgroundWork());
  }

  private drop(task: LocalTask): void {
    const { fullMode, onDropped } = this.options;
    const { events } = this.dependencies;
    task.settle('discarded', new TaskDroppedError(task.id, this.name, fullMode));
    events.emit('task.dropped', { ...task.label, queue: this.name, fullMode });
    this.leave(task);
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
    if (this.isHeldBack) return false;
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

  private handOut(task: LocalTask): void {
    this.announce(task); // it may begin before the producer who waited hears that it is accepted
    if (this.expiring.isOver(task)) {
      this.expire(task);
      return this.leave(task);
    }
    if (this.dequeuers.isEmpty) return this.workers.startSoon(task);
    this.dequeued.add(task);
    this.dequeuers.serve(new TakenTask(task, (taken) => this.runTaken(taken)));
  }

  private async runTaken(task: LocalTask): Promise<void> {
    this.dequeued.delete(task);
    if (task.isWaiting) await this.workers.runBeside(task);
  }

  private leave(task: LocalTask): void {
    const { deduplication } = task.options;
    if (deduplication !== undefined) this.unique.delete(deduplication.key, task);
    if (!this.expiring.isEmpty) this.expiring.delete(task);
    this.pending -= 1;
    if (this.pending === 0) this.becomingIdle.release();
    this.noteCalm();
  }

  private noteCalm(): void {
    if (this.pending === this.held.retrying) this.becomingCalm.release();
  }
}

export const memoryCapabilities: EngineCapabilities = Object.freeze({
  durable: false,
  lacks: Object.freeze({ transaction: 'what is in memory cannot be part of a transaction of a database' }),
});

function labelOf({ label }: LocalTask): TaskLabel {
  return label;
}
