import { TaskAbandonedError } from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import { BackgroundContext } from '../scopes/background-context.js';
import type { MemoryTask } from './memory-task.js';
import { TaskExecution, type TaskExecutionDependencies } from './task-execution.js';
import type { ResolvedQueueOptions } from './tasks.options.js';
import { WaitList } from './wait-list.js';

/** How long a task that ignores its aborted signal keeps its place, in milliseconds. */
const overrunGraceMs = 1_000;

/** How many tasks begin before timers and I/O have their turn. */
const tasksInATurn = 128;

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
  private readonly becomingQuiet = new WaitList();
  /** Have a place, and begin at the next step. */
  private starting: MemoryTask[] = [];
  /** The empty one of two arrays that take turns at being {@link starting}. */
  private spare: MemoryTask[] = [];
  private readonly onRun = (task: MemoryTask): void => this.onRunEnded(task);
  private isStepping = false;
  private isResting = false;
  private begunInTurn = 0;
  private wake: () => void = () => {};
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
    void this.stepWhenWoken();
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
    this.starting.push(task);
    if (this.starting.length === 1 && !this.isStepping) this.wake();
  }

  /** Runs a task that has no place beside those that have one. Resolves when it has ended. */
  runBeside(task: MemoryTask): Promise<void> {
    this.running.add(task);
    return new Promise((resolve) => {
      this.execution.run(task, (ended) => {
        this.finishedCount += 1;
        this.onEnded(ended);
        resolve();
      });
    });
  }

  /** Resolves when nothing runs. */
  whenQuiet(): Promise<void> {
    return this.running.size === 0 ? Promise.resolve() : this.becomingQuiet.wait();
  }

  /** Aborts what runs because the application stops. Says what that was. */
  abortAll(): readonly TaskLabel[] {
    const { labels } = this;
    for (const task of this.running) task.abort(this.abandoned(task));
    return labels;
  }

  /** Waits no more for what was aborted and still runs: its outcome is that it was given up. */
  giveUpAll(): void {
    for (const task of this.running) {
      task.timeoutTimer?.cancel();
      task.graceTimer?.cancel();
      if (task.isActive) task.settle('cancelled', this.abandoned(task));
    }
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

  /**
   * A loop of the queue's own, so that tasks run in its async context: not in that of whoever enqueued them, nor of the
   * task before them. Nothing holds it but this object, so it goes when the queue does.
   */
  private async stepWhenWoken(): Promise<never> {
    for (;;) {
      await new Promise<void>((resolve) => (this.wake = resolve));
      this.step();
    }
  }

  /**
   * Begins what has a place. What ends at once makes room for the next here, in a loop and not in a recursion; and now
   * and then the event loop has a turn, which small tasks would otherwise keep from it for as long as there are any.
   */
  private step(): void {
    if (this.isResting) return;
    this.isStepping = true;
    while (this.starting.length > 0 && !this.isResting) {
      const tasks = this.starting;
      [this.starting, this.spare] = [this.spare, tasks];
      for (const task of tasks) this.begin(task);
      tasks.length = 0;
      if (this.begunInTurn >= tasksInATurn) this.rest();
    }
    this.isStepping = false;
  }

  private begin(task: MemoryTask): void {
    this.begunInTurn += 1;
    if (task.isWaiting) this.execution.run(task, this.onRun);
    else this.onEnded(task); // cancelled meanwhile
  }

  private rest(): void {
    this.isResting = true;
    setImmediate(() => {
      this.isResting = false;
      this.begunInTurn = 0;
      this.step();
    });
  }

  /** Called in the queue's own async context, so whatever has its place now can begin in the same step. */
  private onRunEnded(task: MemoryTask): void {
    const isNested = this.isStepping;
    this.isStepping = true;
    this.finishedCount += 1;
    this.onEnded(task);
    if (!isNested) this.step();
  }

  private onEnded(task: MemoryTask): void {
    this.running.delete(task);
    task.graceTimer?.cancel();
    if (this.running.size === 0) this.becomingQuiet.release();
    this.listener.onEnded();
    if (task.holdsPlace) this.freePlace(task);
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
