import { AsyncResource } from 'node:async_hooks';
import { TaskAbandonedError } from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import { BackgroundContext } from '../scopes/background-context.js';
import type { MemoryTask } from './memory-task.js';
import { TaskExecution, type TaskExecutionDependencies } from './task-execution.js';
import type { ResolvedQueueOptions } from './tasks.options.js';

/** How long a task that ignores its aborted signal keeps its place, in milliseconds. */
const overrunGraceMs = 1_000;

/** Who is told what becomes of the running tasks. */
export interface WorkersListener {
  /** A task has ended, its scope is disposed. */
  onEnded(): void;
  /** A place to run has come free. */
  onPlaceFree(): void;
}

/** The tasks of a queue that run, and the places, as many as its `concurrency`, in which they do. */
export class TaskWorkers {
  private readonly running = new Set<MemoryTask>();
  private readonly execution: TaskExecution;
  private readonly quietWaiters: (() => void)[] = [];
  /** Runs a task in the async context of the queue, not of whoever enqueued it or ended the task before it. */
  private readonly runDetached = AsyncResource.bind((task: MemoryTask): void => void this.run(task));
  private placesTaken = 0;
  private finishedCount = 0;

  constructor(
    private readonly options: Pick<ResolvedQueueOptions, 'name' | 'concurrency' | 'timeoutMs'>,
    private readonly dependencies: TaskExecutionDependencies,
    private readonly listener: WorkersListener,
  ) {
    this.execution = new TaskExecution(dependencies, options.timeoutMs, (task) =>
      this.freePlaceAfterGrace(task),
    );
  }

  get active(): number {
    return this.running.size;
  }

  /** How many have run to their end, whatever it was. */
  get finished(): number {
    return this.finishedCount;
  }

  get hasFreePlace(): boolean {
    return this.placesTaken < this.options.concurrency;
  }

  /** What runs, by name. */
  get labels(): readonly TaskLabel[] {
    return [...this.running].map(({ label }) => label);
  }

  /** Takes a place now and runs a moment later, so that `enqueue()` never runs the work inside the call. */
  startSoon(task: MemoryTask): void {
    this.placesTaken += 1;
    task.holdsPlace = true;
    this.running.add(task);
    queueMicrotask(() => this.runDetached(task));
  }

  /** Runs a task to its end, beside the places when it has none. */
  async run(task: MemoryTask): Promise<void> {
    this.running.add(task);
    if (task.isWaiting) {
      await this.execution.run(task);
      this.finishedCount += 1;
    }
    this.running.delete(task);
    task.graceTimer?.cancel();
    if (this.running.size === 0) for (const resolve of this.quietWaiters.splice(0)) resolve();
    this.listener.onEnded();
    if (task.holdsPlace) this.freePlace(task);
  }

  /** Resolves when nothing runs. */
  whenQuiet(): Promise<void> {
    if (this.running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.quietWaiters.push(resolve));
  }

  /** Aborts what runs because the application stops. Says what that was. */
  abortAll(): readonly TaskLabel[] {
    const { labels } = this;
    for (const task of this.running) task.abort(this.abandoned(task));
    return labels;
  }

  /** Waits no more for what was aborted and still runs: its outcome is that it was given up. */
  giveUpAll(): void {
    for (const task of this.running) if (task.isActive) task.settle('cancelled', this.abandoned(task));
  }

  /** One task that does not let go must not hold up all that wait behind it. */
  freePlaceAfterGrace(task: MemoryTask): void {
    if (!task.holdsPlace) return; // it was dequeued: its place is its runner's business
    const { clock, events } = this.dependencies;
    task.graceTimer = clock.schedule(overrunGraceMs, () => {
      events.emit('task.overran', { ...task.label, queue: this.options.name, graceMs: overrunGraceMs });
      this.freePlace(task);
    });
  }

  /** The running task that the calling code belongs to, if it is one of these. */
  callingTask(): MemoryTask | undefined {
    const id = BackgroundContext.current()?.id;
    return id === undefined ? undefined : [...this.running].find((task) => task.id === id);
  }

  /** Whether, if this one waits too, every place is held by a task that waits for a place to come free. */
  allWaitForSpaceWith(producer: MemoryTask): boolean {
    const holders = [...this.running].filter(({ holdsPlace }) => holdsPlace);
    return (
      producer.holdsPlace &&
      holders.length === this.options.concurrency &&
      holders.every((task) => task.graceTimer === undefined && (task === producer || task.waitsForSpace > 0))
    );
  }

  private freePlace(task: MemoryTask): void {
    task.holdsPlace = false;
    this.placesTaken -= 1;
    this.listener.onPlaceFree();
  }

  private abandoned(task: MemoryTask): TaskAbandonedError {
    return new TaskAbandonedError(task.id, this.options.name);
  }
}
