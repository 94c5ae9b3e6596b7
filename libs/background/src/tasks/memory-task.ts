import { randomUUID } from 'node:crypto';
import type { ClockTimer } from 'nestjs-nightshift/channels';
import { IllegalStateError, TaskCancelledError } from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import { taskTransitions, type TaskHandle, type TaskState, type TaskWork } from './task.js';
import type { ResolvedEnqueueOptions } from './tasks.options.js';

/** What a task needs of the engine that holds it. */
export interface TaskOwner {
  readonly name: string;
  /** The task was cancelled; `wasActive` tells whether it is running. */
  onCancelled(task: MemoryTask, wasActive: boolean, reason: unknown): void;
}

interface Deferred<R> {
  readonly promise: Promise<R>;
  resolve(value: R): void;
  reject(error: unknown): void;
}

/**
 * A task held in memory: the record that the queue passes along, and the handle that the producer gets, in one object.
 * Its id, its signal and its promise come into being when they are first asked for.
 */
export class MemoryTask<R = unknown> implements TaskHandle<R> {
  /** Whether it still occupies one of the queue's places to run. */
  holdsPlace = false;
  /** Whether `task.enqueued` has been said of it. */
  isAnnounced = false;
  /** How many of its own `enqueue()` calls wait for space in the queue that it runs in. */
  waitsForSpace = 0;
  /** Armed while it runs, if it has a timeout. */
  timeoutTimer: ClockTimer | undefined;
  /** Armed while it is aborted and has not ended. */
  graceTimer: ClockTimer | undefined;
  private current: TaskState = 'waiting';
  private taskId: string | undefined;
  private controller: AbortController | undefined;
  private abortReason: unknown;
  private outcome: unknown;
  private deferred: Deferred<R> | undefined;

  constructor(
    private readonly owner: TaskOwner,
    readonly work: TaskWork<R>,
    readonly options: ResolvedEnqueueOptions,
    readonly enqueuedAtMs: number,
  ) {}

  get id(): string {
    return (this.taskId ??= randomUUID());
  }

  get queue(): string {
    return this.owner.name;
  }

  get name(): string {
    return this.options.name ?? (this.work.name || 'anonymous');
  }

  get enqueuedAt(): Date {
    return new Date(this.enqueuedAtMs);
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
      if (!this.isWaiting && !this.isActive) this.settleDeferred();
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
    this.enter(state);
    this.outcome = outcome;
    if (this.deferred !== undefined) this.settleDeferred();
  }

  private settleDeferred(): void {
    if (this.current === 'completed') this.deferred!.resolve(this.outcome as R);
    else this.deferred!.reject(this.outcome);
  }

  private enter(next: TaskState): void {
    if (!taskTransitions[this.current].includes(next)) {
      throw new IllegalStateError(`task ${this.id}`, this.current, `Becoming ${next}`);
    }
    this.current = next;
  }
}

function createDeferred<R>(): Deferred<R> {
  let resolve!: (value: R) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<R>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
