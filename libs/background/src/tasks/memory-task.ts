import { randomUUID } from 'node:crypto';
import { IllegalStateError, TaskCancelledError } from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import { taskTransitions, type TaskHandle, type TaskState, type TaskWork } from './task.js';
import { enqueueDefaults, type ResolvedEnqueueOptions } from './tasks.options.js';

/** What a task needs of the engine that holds it. */
export interface TaskOwner {
  readonly name: string;
  /** When it was made, by the wall clock. */
  readonly madeAtMs: number;
  /** The task was cancelled; `wasActive` tells whether it is running. */
  onCancelled(task: MemoryTask, wasActive: boolean, reason: unknown): void;
}

interface Deferred<R> {
  readonly promise: Promise<R>;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/**
 * A task held in memory: the record that the queue passes along, and the handle that the producer gets, in one object.
 * Its id, its signal and its promise come into being when they are first asked for.
 */
export class MemoryTask<R = unknown> implements TaskHandle<R> {
  /** Whether `task.enqueued` has been said of it. */
  isAnnounced = false;
  private current: TaskState = 'waiting';
  /** The name of work that is forgotten. */
  private workName: string | undefined;
  private taskId: string | undefined;
  private controller: AbortController | undefined;
  private abortReason: unknown;
  private outcome: unknown;
  private deferred: Deferred<R> | undefined;

  constructor(
    private readonly owner: TaskOwner,
    private taskWork: TaskWork<R> | undefined,
    private taskOptions: ResolvedEnqueueOptions,
    /** Since its owner was made: a small number, which costs no memory of its own. */
    private readonly enqueuedAfterMs: number,
  ) {}

  get id(): string {
    return (this.taskId ??= randomUUID());
  }

  get queue(): string {
    return this.owner.name;
  }

  get name(): string {
    return this.workName ?? this.options.name ?? (this.taskWork!.name || 'anonymous');
  }

  get work(): TaskWork<R> {
    return this.taskWork!;
  }

  get options(): ResolvedEnqueueOptions {
    return this.taskOptions;
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

  state(): Promise<TaskState> {
    return Promise.resolve(this.current);
  }

  result(): Promise<R> {
    if (this.deferred === undefined) {
      this.deferred = createDeferred<R>();
      if (!this.isWaiting && !this.isActive) this.settleDeferred(this.deferred);
    }
    return this.deferred.promise;
  }

  cancel(reason?: unknown): Promise<boolean> {
    const wasActive = this.isActive;
    if (!wasActive && !this.isWaiting) return Promise.resolve(false);
    const error = new TaskCancelledError(this.id, this.queue, reason);
    this.settle('cancelled', error); // first: who listens to the signal may cancel once more
    if (wasActive) this.abort(error);
    this.owner.onCancelled(this, wasActive, reason);
    return Promise.resolve(true);
  }

  activate(): void {
    this.enter('active');
  }

  abort(reason: unknown): void {
    if (this.abortReason !== undefined) return;
    this.abortReason = reason;
    this.controller?.abort(reason);
  }

  /** @param outcome the result when `state` is `'completed'`, otherwise the error */
  settle(state: TaskState, outcome: unknown): void {
    if (this.isWaiting) this.forgetWork();
    this.enter(state);
    this.outcome = outcome;
    if (this.deferred !== undefined) this.settleDeferred(this.deferred);
  }

  /** It will not run, or not again: whoever keeps the handle keeps nothing of what was handed over with it. */
  forgetWork(): void {
    this.workName = this.name;
    this.taskWork = undefined;
    this.taskOptions = enqueueDefaults;
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

function createDeferred<R>(): Deferred<R> {
  let resolve!: (result: R) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<R>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
