// Long because it is the whole life of one attempt, whose steps share the state that is used again for the next.
import type { Clock, ClockTimer } from 'nestjs-nightshift/channels';
import { isCancellation, TaskAbandonedError, TaskDiscardedError, TaskTimeoutError } from '../errors.js';
import type { BackgroundEvents } from '../events/background-events.js';
import { runInsideHere } from '../scopes/background-context.js';
import { Discard, RetryAfter, TaskOutcome } from '../scopes/task-outcome.js';
import type { TaskContext, WorkWrapper } from '../scopes/context.js';
import type { ServiceScope, ServiceScopeFactory } from '../scopes/scope.js';
import type { LocalTask } from './local-task.js';
import { retryDelayMs } from './retry-policy.js';
import { RunningTask } from './task-context.js';
import type { AttemptRecord } from './task-record.js';
import type { TaskWork } from './task.js';

export interface TaskExecutionDependencies {
  readonly clock: Clock;
  readonly events: BackgroundEvents;
  readonly scopes: ServiceScopeFactory;
  readonly wrap?: WorkWrapper | undefined;
}

/** A task that is not done with the attempt that has ended. */
export interface Postponement {
  readonly outcome: 'failed' | 'timedOut' | 'putOff';
  readonly delayMs: number;
  /** What the attempt failed with; `undefined` when the work put itself off, or threw just that. */
  readonly error: unknown;
  /** The number of the next attempt. */
  readonly attempt: number;
}

export interface TaskExecutionListener {
  /** Whether a task that has failed can be run again. */
  takesTasksBack(): boolean;
  /** Whether a task that the end of the application interrupts is kept, to run again. */
  readonly keepsInterrupted: boolean;
  /** The task has been aborted by its timeout and is still running. */
  onTimedOut(execution: TaskExecution): void;
  /**
   * The work has ended and its scope is disposed. The execution can take another task. The outcome of this one is settled,
   * unless it is postponed.
   */
  onEnded(execution: TaskExecution, task: LocalTask, postponed: Postponement | undefined): void;
}

/** How a promise is listened to, whatever somebody has made of its own `then`. */
const { then } = Promise.prototype;

/**
 * Runs tasks to their end, one after the other: context, timeout, work, disposal of the scope, outcome, events. It is
 * used again and again, and its two callbacks with it, because what is made for each task is what a small task costs.
 */
export class TaskExecution {
  /** What it runs, or is about to run; `undefined` between two tasks. */
  task: LocalTask | undefined;
  /** The next in the line of those that are about to begin. */
  behind: TaskExecution | undefined;
  /** Whether it occupies one of the queue's places to run. */
  holdsPlace = false;
  /** How many `enqueue()` calls of the task wait for space in the queue that it runs in. */
  waitsForSpace = 0;
  /** Armed while the task is aborted and has not ended. */
  graceTimer: ClockTimer | undefined;
  private context: RunningTask | undefined;
  private timeoutTimer: ClockTimer | undefined;
  /** What is to follow when the work has ended, because its time was up before. */
  private afterTimeout: Postponement | undefined;
  /** When the attempt began, by `monotonic()`. */
  begunAt = 0;
  private readonly onFulfilled = (result: unknown): void => this.end(false, result);
  private readonly onRejected = (error: unknown): void => this.end(true, error);

  /** @param defaultTimeoutMs the queue's timeout, for tasks without one of their own */
  constructor(
    private readonly dependencies: TaskExecutionDependencies,
    private readonly defaultTimeoutMs: number | undefined,
    private readonly listener: TaskExecutionListener,
  ) {}

  /** Whether `context` is that of the task that runs here. */
  isOf(context: object): boolean {
    return this.context === context;
  }

  /**
   * Runs {@link task}, and tells the listener when it has ended: later, or before this returns if the work does all it
   * does at once. A failure is an outcome, so this never throws. The caller has isolated it: see `isolated()`.
   */
  run(): void {
    const task = this.task!;
    const { clock, events, scopes, wrap } = this.dependencies;
    task.activate();
    if (events.wants('task.started')) events.emit('task.started', describe(task));
    const context = new RunningTask(task, scopes, clock);
    this.context = context;
    this.begunAt = clock.monotonic();
    this.armTimeout(task);
    let outcome: unknown;
    try {
      outcome = runInsideHere(context, wrap === undefined ? task.work : wrapped(task.work, wrap));
    } catch (error) {
      return this.end(true, error);
    }
    if (isObject(outcome)) this.await(outcome);
    else this.end(false, outcome);
  }

  /** Waits no more for the task, which was aborted: its outcome is `error`. */
  giveUp(error: unknown): void {
    this.timeoutTimer?.cancel();
    this.graceTimer?.cancel();
    if (this.task?.isActive) this.task.settle('cancelled', error);
  }

  /**
   * Callbacks and not `await`: every promise fewer counts in the life of a small task. What is no promise of the
   * platform's may do anything when it is asked for `then`, so the platform asks.
   */
  private await(outcome: unknown): void {
    try {
      const promise = outcome instanceof Promise ? outcome : new Promise((resolve) => resolve(outcome));
      void then.call(promise, this.onFulfilled, this.onRejected);
    } catch (error) {
      this.end(true, error); // it only looked like a promise
    }
  }

  private end(failed: boolean, outcome: unknown): void {
    if (this.timeoutTimer !== undefined) this.timeoutTimer.cancel();
    const scope = this.context!.openedScope;
    if (scope === undefined) this.finish(failed, outcome);
    else void this.dispose(scope).then(() => this.finish(failed, outcome));
  }

  private finish(failed: boolean, outcome: unknown): void {
    const task = this.task!;
    // A cancelled task has its outcome already, and so has one whose last attempt timed out; this was only its end.
    let postponed = task.isActive ? this.settle(task, failed, outcome) : undefined;
    if (!task.isRetrying) postponed = undefined; // who hears of it may have cancelled it
    if (postponed === undefined) {
      this.noteEnd(task);
      task.letGo();
    } else {
      this.context!.detach();
      task.renew(postponed.attempt);
    }
    if (this.graceTimer !== undefined) this.graceTimer.cancel();
    this.task = undefined;
    this.context = undefined;
    this.timeoutTimer = undefined;
    this.afterTimeout = undefined;
    this.graceTimer = undefined;
    this.listener.onEnded(this, task, postponed);
  }

  private noteEnd(task: LocalTask): void {
    if (!task.isWorthKeeping) return;
    const { clock } = this.dependencies;
    const now = clock.now();
    task.ownStory.startedAtMs = now - (clock.monotonic() - this.begunAt);
    task.ownStory.endedAtMs ??= now;
  }

  /** The attempt did not complete the task. Of closures only the last error is kept. */
  private noteAttempt(task: LocalTask, outcome: AttemptRecord['outcome'], error: unknown): void {
    if (task.typed === undefined) return;
    const { clock } = this.dependencies;
    const now = clock.now();
    task.ownStory.addAttempt(outcome, error, now - (clock.monotonic() - this.begunAt), now);
  }

  private settle(task: LocalTask, failed: boolean, outcome: unknown): Postponement | undefined {
    const { clock, events } = this.dependencies;
    const aborted = task.abortedBecause;
    if (failed && aborted instanceof TaskAbandonedError && this.listener.keepsInterrupted)
      return this.interrupt(task);
    if (this.afterTimeout !== undefined) return this.postpone(task, this.afterTimeout);
    if (!failed && outcome instanceof TaskOutcome) return this.follow(task, outcome);
    if (!failed) {
      task.settle('completed', outcome);
      if (!events.wants('task.completed')) return undefined;
      events.emit('task.completed', { ...describe(task), durationMs: clock.monotonic() - this.begunAt });
    } else if (aborted !== undefined && isCancellation(outcome, task.signal)) {
      task.settle('cancelled', aborted);
      events.emit('task.cancelled', { ...describe(task), reason: aborted });
    } else {
      return this.fail(task, outcome);
    }
    return undefined;
  }

  /** It has failed because the application stops, or while it does: that is no outcome of its own. */
  private interrupt(task: LocalTask): undefined {
    task.interrupt();
    this.dependencies.events.emit('task.interrupted', describe(task));
    return undefined;
  }

  private fail(task: LocalTask, error: unknown): Postponement | undefined {
    const { clock, events } = this.dependencies;
    // Aborted, it has no further attempt: the application stops.
    const isLast = task.abortedBecause !== undefined;
    const { postponed, failure } = isLast ? { failure: error } : this.decide(task, error);
    if (!task.isActive) return undefined; // who decided has cancelled it
    if (postponed !== undefined) return this.postpone(task, postponed);
    this.noteAttempt(task, 'failed', failure);
    task.settle('dead', failure);
    const durationMs = clock.monotonic() - this.begunAt;
    events.emit('task.failed', { ...describe(task), attempt: task.attempt, durationMs, error: failure });
    return undefined;
  }

  /** Whether and when another attempt follows the one that failed with `error`. */
  private decide(
    task: LocalTask,
    error: unknown,
  ): { readonly postponed?: Postponement; readonly failure: unknown } {
    try {
      const delayMs = retryDelayMs(task.retry, error, task.attempt);
      if (delayMs === undefined) return { failure: error };
      const outcome = error instanceof TaskTimeoutError ? 'timedOut' : 'failed';
      return { postponed: { outcome, delayMs, error, attempt: task.attempt + 1 }, failure: error };
    } catch (policyError) {
      const message = 'The task failed, and so did the functions that say whether and when to retry it.';
      return { failure: new AggregateError([error, policyError], message) };
    }
  }

  /** Does what the work returned instead of a result. */
  private follow(task: LocalTask, outcome: TaskOutcome): Postponement | undefined {
    const { events } = this.dependencies;
    if (outcome instanceof RetryAfter) {
      const { delayMs } = outcome;
      return this.postpone(task, { outcome: 'putOff', delayMs, error: undefined, attempt: task.attempt });
    }
    const { reason } = outcome as Discard;
    task.settle('discarded', new TaskDiscardedError(task.id, task.queue, reason));
    events.emit('task.discarded', { ...describe(task), reason });
    return undefined;
  }

  private postpone(task: LocalTask, postponed: Postponement): Postponement | undefined {
    const { events } = this.dependencies;
    const { clock } = this.dependencies;
    const { outcome, delayMs, error } = postponed;
    if (this.afterTimeout === undefined) this.noteAttempt(task, outcome, error);
    task.ownStory.startedAtMs = clock.now() - (clock.monotonic() - this.begunAt);
    if (!this.listener.takesTasksBack()) {
      const reason = new TaskAbandonedError(task.id, task.queue, error);
      task.settle('cancelled', reason);
      events.emit('task.cancelled', { ...describe(task), reason });
      return undefined;
    }
    task.putOff(error);
    const { attempt, maxAttempts } = task;
    events.emit('task.retrying', { ...describe(task), attempt, maxAttempts, delayMs, error });
    return postponed;
  }

  private armTimeout(task: LocalTask): void {
    const timeoutMs = task.options.timeoutMs ?? this.defaultTimeoutMs;
    if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) return;
    this.timeoutTimer = this.dependencies.clock.schedule(timeoutMs, () => {
      if (!task.isActive) return;
      const error = new TaskTimeoutError(task.id, task.queue, timeoutMs);
      const { postponed, failure } = this.decide(task, error);
      if (!task.isActive) return; // who decided has cancelled it, and aborted it with that
      this.noteAttempt(task, 'timedOut', error);
      // First: who listens to the signal may cancel the task. The next attempt must not begin before this one has ended.
      if (postponed === undefined) {
        task.settle('dead', failure);
        task.ownStory.endedAtMs = this.dependencies.clock.now();
      } else {
        this.afterTimeout = postponed;
        task.noteFailure(error);
      }
      task.abort(error);
      const isLast = postponed === undefined;
      this.dependencies.events.emit('task.timedOut', {
        ...describe(task),
        attempt: task.attempt,
        timeoutMs,
        isLast,
      });
      this.listener.onTimedOut(this);
    });
  }

  private async dispose(scope: ServiceScope): Promise<void> {
    try {
      await runInsideHere(this.context!, () => scope[Symbol.asyncDispose]()); // still the task's own doing
    } catch (error) {
      const owner = `task ${this.task!.id} of queue '${this.task!.queue}'`;
      this.dependencies.events.emit('scope.disposeFailed', { owner, error });
    }
  }
}

function wrapped(work: TaskWork, wrap: WorkWrapper): TaskWork {
  return (context: TaskContext) => wrap(context, async () => work(context));
}

function isObject(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function describe(task: LocalTask): { queue: string; taskId: string; name: string } {
  return { queue: task.queue, taskId: task.id, name: task.name };
}
