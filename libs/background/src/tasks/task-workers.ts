// Long because the places, who holds them, and who waits for them are one count that has to be right in every step.
import { AsyncResource } from 'node:async_hooks';
import { QueueSelfWaitError, TaskAbandonedError } from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import { BackgroundContext, isolated } from '../scopes/background-context.js';
import type { LocalTask } from './local-task.js';
import {
  TaskExecution,
  type Postponement,
  type TaskExecutionDependencies,
  type TaskExecutionListener,
} from './task-execution.js';
import type { ResolvedQueueOptions } from './queue.options.js';
import { WaitList } from './wait-list.js';

/** How long a task that ignores its aborted signal keeps its place, in milliseconds. */
const overrunGraceMs = 1_000;

/** How many tasks begin before timers and I/O have their turn. */
const tasksInATurn = 128;

const resolved = Promise.resolve();

/** Who is told what becomes of the running tasks. */
export interface WorkersListener {
  /** Whether a task that has failed can be run again. */
  takesTasksBack(): boolean;
  /** Whether a task that the end of the application interrupts is kept, to run again. */
  readonly keepsInterrupted: boolean;
  /** A task, or one attempt of it, has ended, and its scope is disposed. */
  onEnded(task: LocalTask, postponed: Postponement | undefined): void;
  /** A place to run has come free. */
  onPlaceFree(): void;
  /** An attempt begins now. */
  onBegin?(): void;
  /** A task that was to begin has come to its end before. */
  onNotBegun?(): void;
}

/** The tasks of a queue that run, and the places, as many as its `concurrency`, in which they do. */
export class TaskWorkers implements TaskExecutionListener {
  /** Those that are in use, and those that can be used again. */
  private readonly executions = new Set<TaskExecution>();
  private readonly free: TaskExecution[] = [];
  /** Those whose task has not begun: the first and the last of a chain. */
  private starting: TaskExecution | undefined;
  private lastStarting: TaskExecution | undefined;
  private readonly becomingQuiet = new WaitList();
  /** Of the async context in which tasks begin. Nothing of the user's ever runs in itself. */
  private readonly resource = new AsyncResource('nightshift');
  private isWoken = false;
  private isResting = false;
  private begunInTurn = 0;
  private placesTaken = 0;
  private activeCount = 0;
  private finishedCount = 0;

  constructor(
    private readonly options: Pick<ResolvedQueueOptions, 'name' | 'concurrency' | 'timeoutMs'>,
    private readonly dependencies: TaskExecutionDependencies,
    private readonly listener: WorkersListener,
  ) {}

  takesTasksBack(): boolean {
    return this.listener.takesTasksBack();
  }

  get keepsInterrupted(): boolean {
    return this.listener.keepsInterrupted;
  }

  get active(): number {
    return this.activeCount;
  }

  /** How many have run to their end, whatever it was. */
  get finished(): number {
    return this.finishedCount;
  }

  get hasFreePlace(): boolean {
    return this.placesTaken < this.options.concurrency;
  }

  get freePlaces(): number {
    return Math.max(0, this.options.concurrency - this.placesTaken);
  }

  /** What runs, by name. */
  get labels(): readonly TaskLabel[] {
    return this.tasks.map(({ label }) => label);
  }

  /** The tasks that run, or are about to. */
  get tasks(): readonly LocalTask[] {
    return [...this.executions].flatMap(({ task }) => (task === undefined ? [] : [task]));
  }

  /** When the attempt of a task that runs began, by the clock's `monotonic()`. */
  begunAt(task: LocalTask): number | undefined {
    return task.isActive ? this.executionOf(task)?.begunAt : undefined;
  }

  /** Whether a task runs, or is about to. */
  has(task: LocalTask): boolean {
    return this.executionOf(task) !== undefined;
  }

  /** Takes a place now and runs a moment later, so that `enqueue()` never runs the work inside the call. */
  startSoon(task: LocalTask): void {
    this.placesTaken += 1;
    const execution = this.free.pop() ?? this.createExecution();
    execution.holdsPlace = true;
    this.take(execution, task);
    if (this.starting === undefined) this.starting = execution;
    else this.lastStarting!.behind = execution;
    this.lastStarting = execution;
    this.wakeUp();
  }

  /** Runs a task that has no place beside those that have one. Resolves when it has ended. */
  runBeside(task: LocalTask): Promise<void> {
    return new Promise((resolve) => {
      const onEnded: TaskExecutionListener['onEnded'] = (...ended): void => {
        this.onEnded(...ended);
        resolve();
      };
      const takesTasksBack = (): boolean => this.takesTasksBack();
      // Its place is its runner's business.
      const { keepsInterrupted } = this;
      const execution = this.createExecution({
        takesTasksBack,
        keepsInterrupted,
        onTimedOut: () => {},
        onEnded,
      });
      this.take(execution, task);
      this.listener.onBegin?.();
      isolated(() => execution.run());
    });
  }

  /** Resolves when nothing runs. */
  whenQuiet(): Promise<void> {
    return this.activeCount === 0 ? Promise.resolve() : this.becomingQuiet.wait();
  }

  /** Aborts what runs because the application stops. Says what that was. */
  abortAll(): readonly TaskLabel[] {
    const { labels } = this;
    for (const { task } of this.executions) task?.abort(this.abandoned(task));
    return labels;
  }

  /** Waits no more for what was aborted and still runs: its outcome is that it was given up. */
  giveUpAll(): void {
    for (const execution of this.executions) {
      if (execution.task !== undefined) execution.giveUp(this.abandoned(execution.task));
    }
  }

  /** One task that does not let go must not hold up all that wait behind it. */
  freePlaceAfterGrace(task: LocalTask): void {
    this.onTimedOut(this.executionOf(task)!);
  }

  onTimedOut(execution: TaskExecution): void {
    if (!execution.holdsPlace || execution.graceTimer !== undefined) return;
    const { clock, events } = this.dependencies;
    const { label } = execution.task!;
    execution.graceTimer = clock.schedule(overrunGraceMs, () => {
      events.emit('task.overran', { ...label, queue: this.options.name, graceMs: overrunGraceMs });
      execution.holdsPlace = false;
      this.freePlace();
    });
  }

  onEnded(execution: TaskExecution, task: LocalTask, postponed: Postponement | undefined): void {
    if (postponed === undefined) this.finishedCount += 1;
    this.release(execution, task, postponed);
  }

  /**
   * Waits until there is space in the queue. Work of the queue that does so may be what it waits for.
   *
   * @param signal with one, the wait has an end of its own
   * @param couldBegin whether something could begin: if nothing does all the same, it is for what runs
   * @throws QueueSelfWaitError when nothing would ever make space
   */
  async waitAsProducer<T>(
    signal: AbortSignal | undefined,
    wait: () => Promise<T>,
    couldBegin = false,
  ): Promise<T> {
    const producer = this.callingExecution();
    if (producer === undefined) return wait();
    const isHopeless =
      this.allWaitForSpaceWith(producer) || (couldBegin && this.allRunningWaitForSpaceWith(producer));
    if (signal === undefined && isHopeless)
      throw new QueueSelfWaitError(this.options.name, this.options.concurrency);
    producer.waitsForSpace += 1;
    try {
      return await wait();
    } finally {
      producer.waitsForSpace -= 1;
    }
  }

  /** The running task that the calling code belongs to, if it is one of these. */
  private callingExecution(): TaskExecution | undefined {
    const context = BackgroundContext.current();
    return context && [...this.executions].find((execution) => execution.isOf(context));
  }

  /** Whether, if this one waits too, every place is held by a task that waits for a place to come free. */
  private allWaitForSpaceWith(producer: TaskExecution): boolean {
    const holders = [...this.executions].filter(({ task, holdsPlace }) => task !== undefined && holdsPlace);
    return (
      producer.holdsPlace &&
      holders.length === this.options.concurrency &&
      holders.every((each) => each.graceTimer === undefined && (each === producer || each.waitsForSpace > 0))
    );
  }

  /** Whether, if this one waits too, everything that runs waits for space. */
  private allRunningWaitForSpaceWith(producer: TaskExecution): boolean {
    const running = [...this.executions].filter(({ task }) => task !== undefined);
    return running.every(
      (each) => each.graceTimer === undefined && (each === producer || each.waitsForSpace > 0),
    );
  }

  private executionOf(task: LocalTask): TaskExecution | undefined {
    for (const execution of this.executions) if (execution.task === task) return execution;
    return undefined;
  }

  private createExecution(listener: TaskExecutionListener = this): TaskExecution {
    const execution = new TaskExecution(this.dependencies, this.options.timeoutMs, listener);
    this.executions.add(execution);
    return execution;
  }

  private take(execution: TaskExecution, task: LocalTask): void {
    execution.task = task;
    execution.waitsForSpace = 0;
    this.activeCount += 1;
  }

  private release(execution: TaskExecution, task: LocalTask, postponed?: Postponement): void {
    execution.task = undefined;
    this.activeCount -= 1;
    if (this.activeCount === 0) this.becomingQuiet.release();
    this.listener.onEnded(task, postponed);
    if (!execution.holdsPlace) this.executions.delete(execution);
    else {
      this.free.push(execution);
      this.freePlace();
    }
  }

  private freePlace(): void {
    this.placesTaken -= 1;
    this.listener.onPlaceFree();
  }

  /**
   * Begins a task a moment later, in the async context in which the queue was made and in an async resource of its own,
   * which the callback of a promise is. So it has nothing from whoever enqueued it, nor from the task before it.
   */
  private wakeUp(): void {
    if (this.isWoken || this.isResting) return;
    this.isWoken = true;
    this.resource.runInAsyncScope(this.callSoon);
  }

  private readonly callSoon = (): void => void resolved.then(this.beginNext);

  /**
   * Begins one task. Now and then the event loop has a turn, which small tasks would otherwise keep from it for as long
   * as there are any.
   */
  private readonly beginNext = (): void => {
    this.isWoken = false;
    const execution = this.starting!;
    this.starting = execution.behind;
    execution.behind = undefined;
    this.begunInTurn += 1;
    if (this.begunInTurn >= tasksInATurn) this.rest();
    else if (this.starting !== undefined) this.wakeUp();
    const task = execution.task!;
    if (task.isWaiting) {
      this.listener.onBegin?.();
      execution.run();
    } else {
      this.listener.onNotBegun?.();
      this.release(execution, task); // cancelled or expired meanwhile
    }
  };

  /**
   * The event loop has just had its turn, so tasks that begin now need not give it another one soon: the caller hands them
   * over once in a turn. Their ends then fall into one turn as well, and a store writes them down together.
   */
  noteTurn(): void {
    this.begunInTurn = 0;
  }

  private rest(): void {
    this.isResting = true;
    setImmediate(() => {
      this.isResting = false;
      this.begunInTurn = 0;
      if (this.starting !== undefined) this.wakeUp();
    });
  }

  private abandoned(task: LocalTask): TaskAbandonedError {
    return new TaskAbandonedError(task.id, this.options.name, task.lastError);
  }
}
