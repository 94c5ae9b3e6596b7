import { QueueClosedError, TaskAbandonedError, TaskDroppedError, TaskExpiredError } from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import { isInsideBackgroundWork } from '../scopes/background-context.js';
import { EndedTasks } from './ended-tasks.js';
import { ExpiringTasks } from './expiring-tasks.js';
import { HeldTasks, type HeldState } from './held-tasks.js';
import type { LocalTask } from './local-task.js';
import type { LeftWork } from './queue-engine.js';
import { memoryCapacity, type ResolvedQueueOptions } from './queue.options.js';
import type { ResolvedRetryOptions } from './retry-policy.js';
import { TaskDispatch } from './task-dispatch.js';
import type { Postponement, TaskExecutionDependencies } from './task-execution.js';
import { TaskIntake, type IntakeOwner, type TaskPlaces } from './task-intake.js';
import { TaskWorkers } from './task-workers.js';
import { UniqueTasks } from './unique-tasks.js';
import { WaitList } from './wait-list.js';
import { WaitingTasks } from './waiting-tasks.js';

/**
 * The tasks of one queue in memory: those that wait, those that run, those whose time has not come, and those that have
 * ended and are kept to be looked at. It is what brings them from one of these places to the next, and knows when nothing
 * is left to do. `TaskIntake` takes them in, `TaskDispatch` hands them out.
 */
export class MemoryTasks implements IntakeOwner {
  readonly capacity: number;
  readonly madeAtMs: number;
  readonly places: TaskPlaces;
  readonly intake: TaskIntake;
  readonly ended: EndedTasks;
  /** To all but running work. */
  isClosedToOutsiders = false;
  /** To everyone; and it holds nothing that has not begun. */
  isOver = false;
  private readonly becomingIdle = new WaitList();
  private readonly becomingCalm = new WaitList();
  private readonly releasing = new AbortController();
  /** Accepted or waiting to be accepted, and not yet ended: all but those whose time has not come for the first time. */
  private pending = 0;

  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly dependencies: TaskExecutionDependencies,
  ) {
    const { clock } = dependencies;
    this.madeAtMs = clock.now();
    this.capacity = options.capacity ?? memoryCapacity;
    this.places = this.createPlaces();
    this.intake = new TaskIntake(this, options, dependencies, this.places);
    this.ended = new EndedTasks(options.retention, clock);
  }

  get name(): string {
    return this.options.name;
  }

  get retryOptions(): ResolvedRetryOptions {
    return this.options.retry;
  }

  get outsidersReleased(): AbortSignal {
    return this.releasing.signal;
  }

  whenIdle(): Promise<void> {
    return this.pending === 0 ? Promise.resolve() : this.becomingIdle.wait();
  }

  /** Resolves when the answer of {@link willRunBefore} may have changed. */
  whenCalm(): Promise<void> {
    return this.becomingCalm.wait();
  }

  /** See the method of the same name of `QueueEngine`. */
  willRunBefore(time: number): boolean {
    if (!this.runsWhatWaits) return false;
    const { held, dispatch, workers } = this.places;
    if (workers.active > 0) return true;
    if (!dispatch.mayBeginBefore(time)) return false;
    if (this.pending > held.retrying) return true;
    // With no limit, tasks that are scheduled are not counted: they may be due in years.
    if (time === Number.POSITIVE_INFINITY) return held.retrying > 0;
    return held.nextAt !== undefined && held.nextAt < time;
  }

  /** Hands out nothing more until {@link resume}. */
  pause(): void {
    this.places.dispatch.isPaused = true;
    this.becomingCalm.release();
  }

  resume(): void {
    this.places.dispatch.isPaused = false;
    this.places.dispatch.pump();
  }

  /** From now on only running work may add to the queue; whoever waits for space outside of it is released. */
  closeToOutsiders(): void {
    this.isClosedToOutsiders = true;
    this.releasing.abort(new QueueClosedError(this.name));
  }

  isClosed(): boolean {
    return this.isClosedToOutsiders && (!this.places.dispatch.isOpen || !isInsideBackgroundWork());
  }

  /** Takes nothing more, gives up what does not run, and aborts what runs. Says which were which. */
  close(): LeftWork {
    const { waiting, held, dispatch, workers } = this.places;
    this.isOver = true;
    this.closeToOutsiders();
    const closed = new QueueClosedError(this.name);
    const taken = dispatch.close(closed);
    waiting.close(closed);
    const { scheduled, retrying } = held.takeAll();
    this.count(scheduled.length);
    const notBegun = [...taken, ...waiting.takeAll(), ...scheduled];
    const left = { waiting: notBegun.map(labelOf), retrying: retrying.map(labelOf) };
    for (const task of [...notBegun, ...retrying]) {
      task.settle('cancelled', new TaskAbandonedError(task.id, this.name, task.lastError));
      this.leave(task);
    }
    return { ...left, aborted: workers.abortAll() };
  }

  /** A task that has ended waits once more, as one whose time has come. */
  revive(task: LocalTask): void {
    const { deduplication } = task.options;
    const { unique, waiting } = this.places;
    this.ended.take(task);
    task.revive();
    this.count(1);
    if (deduplication !== undefined && unique.find(deduplication.key) === undefined) unique.add(task, false);
    this.dependencies.events.emit('task.retried', { ...task.label, queue: this.name });
    if (task.isWaiting) waiting.addDue(task);
    else this.leave(task); // who heard of it has cancelled it
  }

  onBegun(task: LocalTask): void {
    this.places.expiring.delete(task);
  }

  onCancelled(task: LocalTask, wasActive: boolean, reason: unknown): void {
    task.ownStory.endedAtMs = this.dependencies.clock.now();
    this.dependencies.events.emit('task.cancelled', { ...task.label, queue: this.name, reason });
    if (wasActive) this.places.workers.freePlaceAfterGrace(task);
    else this.takeOut(task);
  }

  takeOut(task: LocalTask): void {
    const { workers, held, dispatch, waiting } = this.places;
    if (workers.has(task)) return; // its worker finds it settled
    if (task.chain !== undefined) waiting.remove(task);
    else if (held.delete(task) === 'scheduled') this.count(1);
    else dispatch.takeBack(task);
    this.leave(task);
    if (task.options.concurrency !== undefined) dispatch.pump(); // it may have been in the way of another of its key
  }

  leave(task: LocalTask): void {
    const { unique, expiring } = this.places;
    if (task.options.deduplication !== undefined) unique.delete(task);
    if (!expiring.isEmpty) expiring.delete(task);
    if (task.isWorthKeeping && task.isSettled) this.ended.add(task);
    this.count(-1);
    this.noteCalm();
  }

  count(by: number): void {
    this.pending += by;
    if (this.pending === 0) this.becomingIdle.release();
  }

  private createPlaces(): TaskPlaces {
    const { options, dependencies } = this;
    const { clock } = dependencies;
    const { fullMode } = options;
    const waiting = new WaitingTasks({ capacity: this.capacity, fullMode }, (task) => this.drop(task));
    const workers = new TaskWorkers(options, dependencies, {
      takesTasksBack: () => !this.isOver,
      keepsInterrupted: false,
      onBegin: () => dispatch.onBegin(),
      onNotBegun: () => dispatch.onNotBegun(),
      onEnded: (task, postponed) => this.onEnded(task, postponed),
      onPlaceFree: () => dispatch.pump(),
    });
    const dispatch = new TaskDispatch(options, dependencies, waiting, workers, (task) => this.accept(task));
    const held = new HeldTasks(
      clock,
      (task, was) => this.fallDue(task, was),
      () => dispatch.pump(), // not before: of those that are due together the most urgent goes first
    );
    const expiring = new ExpiringTasks(clock, (task) => {
      this.expire(task);
      this.takeOut(task);
    });
    return { waiting, held, expiring, unique: new UniqueTasks(clock), workers, dispatch };
  }

  /** Whether what waits is going to be run: not when paused, never opened, or run by a worker of the user's own. */
  private get runsWhatWaits(): boolean {
    return this.options.concurrency > 0 && this.places.dispatch.isOpen && !this.places.dispatch.isPaused;
  }

  /** A task is about to be handed out: perhaps before the producer who waited hears that it is accepted. */
  private accept(task: LocalTask): boolean {
    this.intake.announce(task);
    if (!this.places.expiring.isOver(task)) return true;
    this.expire(task);
    this.leave(task);
    return false;
  }

  private expire(task: LocalTask): void {
    const expiresInMs = task.options.expiresInMs!;
    task.settle('expired', new TaskExpiredError(task.id, this.name, expiresInMs));
    this.dependencies.events.emit('task.expired', { ...task.label, queue: this.name, expiresInMs });
  }

  private fallDue(task: LocalTask, was: HeldState): void {
    if (was === 'scheduled') this.count(1);
    task.fallDue();
    this.places.waiting.addDue(task);
  }

  private onEnded(task: LocalTask, postponed: Postponement | undefined): void {
    const { waiting, held, dispatch } = this.places;
    waiting.end(task);
    if (postponed === undefined) this.leave(task);
    else {
      held.add(task, postponed.delayMs);
      this.noteCalm();
    }
    if (task.options.concurrency !== undefined) dispatch.pump(); // also when it has no place to give away
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

  private noteCalm(): void {
    const { held, dispatch, workers } = this.places;
    if (this.pending === held.retrying || (dispatch.isRateLimited && workers.active === 0))
      this.becomingCalm.release();
  }
}

function labelOf({ label }: LocalTask): TaskLabel {
  return label;
}
