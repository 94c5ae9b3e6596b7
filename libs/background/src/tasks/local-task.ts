// Long because it is one object: every field of it is what a waiting closure weighs, so they are all in view here.
import { randomUUID } from 'node:crypto';
import { IllegalStateError, TaskCancelledError } from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import { createDeferred, type Deferred } from './deferred.js';
import type { ResolvedRetryOptions } from './retry-policy.js';
import { taskTransitions, type TaskHandle, type TaskState, type TaskWork } from './task.js';
import type { TypedTask } from './queue-engine.js';
import type { TaskChain } from './task-chain.js';
import { TaskLog } from './task-log.js';
import { TaskStory } from './task-story.js';
import { enqueueDefaults, type ResolvedEnqueueOptions } from './enqueue.options.js';

/** What a task needs of the engine that holds it. */
export interface TaskOwner {
  readonly name: string;
  /** When it was made, by the wall clock. */
  readonly madeAtMs: number;
  /** How tasks are retried that say nothing of their own. */
  readonly retryOptions: ResolvedRetryOptions;
  /** A task that could have expired begins to run. */
  onBegun(task: LocalTask): void;
  /** The task was cancelled; `wasActive` tells whether it is running. */
  onCancelled(task: LocalTask, wasActive: boolean, reason: unknown): void;
}

/** What a task already has that comes out of a store. */
export interface StoredIdentity {
  readonly id: string;
  readonly attempt: number;
}

/**
 * A task in this process: the record that is passed along while it waits and runs, and, of a queue in memory, the handle
 * that the producer gets, in one object. Its id, its signal, its promise and its log come into being when they are first
 * asked for.
 */
export class LocalTask<R = unknown> implements TaskHandle<R> {
  /** Whether `task.enqueued` has been said of it. */
  isAnnounced = false;
  /** Where it came in the order of all tasks of its queue: no two have the same. */
  place = 0;
  /** The chain that it waits in, and its neighbours there. */
  chain: TaskChain | undefined;
  ahead: LocalTask | undefined;
  behind: LocalTask | undefined;
  private current: TaskState = 'waiting';
  /** Its work, or the name of work that is forgotten. */
  private workOrName: TaskWork<R> | string;
  private story: TaskStory | undefined;
  private taskId: string | undefined;
  private controller: AbortController | undefined;
  private abortReason: unknown;
  private outcome: unknown;
  private deferred: Deferred<R> | undefined;

  constructor(
    private readonly owner: TaskOwner,
    work: TaskWork<R>,
    private taskOptions: ResolvedEnqueueOptions,
    /** Since its owner was made: a small number, which costs no memory of its own. */
    readonly enqueuedAfterMs: number,
    /** What is kept of a typed task. */
    typed?: TypedTask | undefined,
    identity?: StoredIdentity,
  ) {
    this.workOrName = work;
    if (typed !== undefined) this.story = new TaskStory(typed);
    if (identity === undefined) return;
    this.taskId = identity.id;
    this.ownStory.attempt = identity.attempt;
  }

  get id(): string {
    return (this.taskId ??= randomUUID());
  }

  get queue(): string {
    return this.owner.name;
  }

  get name(): string {
    const { workOrName } = this;
    if (typeof workOrName === 'string') return workOrName;
    return this.options.name ?? (workOrName.name || 'anonymous');
  }

  get work(): TaskWork<R> {
    return this.workOrName as TaskWork<R>; // what is asked for it has not ended
  }

  get options(): ResolvedEnqueueOptions {
    return this.taskOptions;
  }

  /** Which attempt runs, or is the next to run. */
  get attempt(): number {
    return this.story?.attempt ?? 1;
  }

  get maxAttempts(): number {
    return this.options.retry?.maxAttempts ?? this.owner.retryOptions.maxAttempts;
  }

  get retry(): ResolvedRetryOptions {
    const { retry } = this.options;
    return retry === undefined ? this.owner.retryOptions : { ...this.owner.retryOptions, ...retry };
  }

  /** What there is to tell of it, if there is anything. */
  get toldStory(): TaskStory | undefined {
    return this.story;
  }

  /** The same, made when there is none. */
  get ownStory(): TaskStory {
    return (this.story ??= new TaskStory(undefined));
  }

  /** What is kept of a typed task. */
  get typed(): TypedTask | undefined {
    return this.story?.typed;
  }

  /** The id, if anybody has ever asked for it. */
  get knownId(): string | undefined {
    return this.taskId;
  }

  /** Its place among those that are equally urgent, and whose time has come as has its own. */
  get turn(): number {
    return this.story?.turn ?? this.place;
  }

  /** What it has said of itself. */
  get log(): TaskLog {
    return (this.ownStory.log ??= new TaskLog());
  }

  /** The same, if it has said anything. */
  get writtenLog(): TaskLog | undefined {
    return this.story?.log;
  }

  /** Where it is in its life. */
  get currentState(): TaskState {
    return this.current;
  }

  /** The result when it is completed, otherwise why it ended, or what its last attempt failed with. */
  get currentOutcome(): unknown {
    return this.outcome;
  }

  /** What the last attempt failed with, while the task is to be retried. */
  get lastError(): unknown {
    return this.isSettled ? undefined : this.outcome;
  }

  get enqueuedAt(): Date {
    return new Date(this.owner.madeAtMs + this.enqueuedAfterMs);
  }

  get label(): TaskLabel {
    return { taskId: this.id, name: this.name };
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.abortReason !== undefined) this.controller.abort(this.abortReason);
    }
    return this.controller.signal;
  }

  /** Why its signal is aborted; `undefined` while it is not. */
  get abortedBecause(): unknown {
    return this.abortReason;
  }

  get isWaiting(): boolean {
    return this.current === 'waiting';
  }

  get isActive(): boolean {
    return this.current === 'active';
  }

  get isRetrying(): boolean {
    return this.current === 'retrying';
  }

  /** Whether it can be run once more after its end: its work is still there. */
  get isRepeatable(): boolean {
    return this.typed !== undefined && typeof this.workOrName === 'function';
  }

  /** Whether there is anything to look at when it has ended: not at a closure that did what it was to do. */
  get isWorthKeeping(): boolean {
    return this.current !== 'completed' || this.typed !== undefined;
  }

  /** Whether it has come to its end, whatever that was. */
  get isSettled(): boolean {
    const { current } = this;
    return current !== 'waiting' && current !== 'active' && current !== 'scheduled' && current !== 'retrying';
  }

  state(): Promise<TaskState> {
    return Promise.resolve(this.current);
  }

  result(): Promise<R> {
    if (this.deferred === undefined) {
      this.deferred = createDeferred<R>();
      if (this.isSettled) this.settleDeferred(this.deferred);
    }
    return this.deferred.promise;
  }

  cancel(reason?: unknown): Promise<boolean> {
    const wasActive = this.isActive;
    if (this.isSettled) return Promise.resolve(false);
    const error = new TaskCancelledError(this.id, this.queue, reason);
    this.settle('cancelled', error); // first: who listens to the signal may cancel once more
    if (wasActive) this.abort(error);
    this.owner.onCancelled(this, wasActive, reason);
    return Promise.resolve(true);
  }

  activate(): void {
    this.enter('active');
    if (this.options.expiresInMs !== undefined) this.owner.onBegun(this);
  }

  /** Its time has not come. */
  holdBack(): void {
    this.current = 'scheduled'; // where it begins: no change of state
  }

  /** Its time has come. */
  fallDue(): void {
    this.enter('waiting');
  }

  /** Its process ends before it does: it is as if it had not begun. */
  interrupt(): void {
    this.enter('waiting');
  }

  /** @param error what the attempt failed with; `undefined` when the work put itself off */
  putOff(error: unknown): void {
    this.enter('retrying');
    this.outcome = error;
  }

  /** The attempt has failed, though the work has not ended. */
  noteFailure(error: unknown): void {
    this.outcome = error;
  }

  /** Makes it ready for another attempt, which has a signal of its own. */
  renew(attempt: number): void {
    this.ownStory.attempt = attempt;
    this.controller = undefined;
    this.abortReason = undefined;
  }

  abort(reason: unknown): void {
    if (this.abortReason !== undefined) return;
    this.abortReason = reason;
    this.controller?.abort(reason);
  }

  /** @param outcome the result when `state` is `'completed'`, otherwise the error */
  settle(state: TaskState, outcome: unknown): void {
    const hadBegun = this.isActive;
    this.enter(state);
    if (!hadBegun) {
      this.ownStory.attempt -= 1; // so that it says how many have begun
      this.letGo();
    }
    this.outcome = outcome;
    if (this.deferred !== undefined) this.settleDeferred(this.deferred);
  }

  /**
   * It has come to its end. A closure lets go of its work: whoever keeps the handle keeps nothing of what that encloses. A
   * typed task can be run once more, until it {@link forget}s.
   */
  letGo(): void {
    if (!this.isWorthKeeping) return this.forget();
    if (this.typed === undefined || this.current === 'completed') this.forgetWork();
    if (this.taskOptions.signal !== undefined) this.taskOptions = { ...this.taskOptions, signal: undefined };
  }

  /** Nobody looks at it any more but whoever keeps the handle, and that keeps nothing of what was handed over with it. */
  forget(): void {
    const { attempt } = this;
    this.forgetWork();
    this.story = undefined;
    if (attempt !== 1) this.ownStory.attempt = attempt;
    this.taskOptions = remainderOf(this.taskOptions);
  }

  /** It has ended, and runs once more. Who has asked for its result before has had it. */
  revive(): void {
    this.enter('waiting');
    this.renew(1);
    this.outcome = undefined;
    this.deferred = undefined;
    this.ownStory.endedAtMs = undefined;
  }

  private forgetWork(): void {
    this.workOrName = this.name;
  }

  private settleDeferred({ resolve, reject }: Deferred<R>): void {
    if (this.current === 'completed') resolve(this.outcome as R);
    else reject(this.outcome);
  }

  private enter(next: TaskState): void {
    if (!taskTransitions[this.current].includes(next)) {
      throw new IllegalStateError(`task ${this.id}`, this.current, `Becoming ${next}`);
    }
    this.current = next;
  }
}

/** What the queue still needs, to find the task where it has put it. */
function remainderOf(options: ResolvedEnqueueOptions): ResolvedEnqueueOptions {
  const { priority, deduplication, concurrency } = options;
  if (priority === enqueueDefaults.priority && deduplication === undefined && concurrency === undefined)
    return enqueueDefaults;
  return { ...enqueueDefaults, priority, deduplication, concurrency };
}
