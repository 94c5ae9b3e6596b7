import type { Clock, ClockTimer } from 'nestjs-nightshift/channels';
import { isCancellation, TaskTimeoutError } from '../errors.js';
import type { BackgroundEvents } from '../events/background-events.js';
import { runInside } from '../scopes/background-context.js';
import type { WorkWrapper } from '../scopes/context.js';
import type { ServiceScope, ServiceScopeFactory } from '../scopes/scope.js';
import type { MemoryTask } from './memory-task.js';
import { RunningTask } from './task-context.js';

export interface TaskExecutionDependencies {
  readonly clock: Clock;
  readonly events: BackgroundEvents;
  readonly scopes: ServiceScopeFactory;
  readonly wrap?: WorkWrapper | undefined;
}

/** One task on its way. */
interface Run {
  readonly task: MemoryTask;
  readonly context: RunningTask;
  readonly begunAt: number;
  readonly onEnded: (task: MemoryTask) => void;
}

/** Runs one task to its end: context, timeout, work, disposal of the scope, outcome, events. */
export class TaskExecution {
  /**
   * @param defaultTimeoutMs the queue's timeout, for tasks without one of their own
   * @param onTimedOut called when a task has been aborted by its timeout and is still running
   */
  constructor(
    private readonly dependencies: TaskExecutionDependencies,
    private readonly defaultTimeoutMs: number | undefined,
    private readonly onTimedOut: (task: MemoryTask) => void,
  ) {}

  /**
   * Calls `onEnded` when the work has ended, its scope is disposed and its outcome settled: later, or before this
   * returns if the work does all it does at once. A failure is an outcome, so this never throws.
   */
  run(task: MemoryTask, onEnded: (task: MemoryTask) => void): void {
    const { clock, events, scopes, wrap } = this.dependencies;
    task.activate();
    if (events.wants('task.started')) events.emit('task.started', describe(task));
    const context = new RunningTask(task, scopes);
    const run: Run = { task, context, begunAt: clock.monotonic(), onEnded };
    task.timeoutTimer = this.armTimeout(task);
    let outcome: unknown;
    try {
      outcome = wrap
        ? runInside(context, () => wrap(context, async () => task.work(context)))
        : runInside(context, task.work, context);
    } catch (error) {
      return this.end(run, true, error);
    }
    if (!isObject(outcome)) return this.end(run, false, outcome);
    // Callbacks and not `await`: every promise fewer counts in the life of a small task. What is no promise of the
    // platform's may do anything when it is asked for `then`, so the platform asks.
    const promise = outcome instanceof Promise ? outcome : new Promise((resolve) => resolve(outcome));
    promise.then(
      (result) => this.end(run, false, result),
      (error: unknown) => this.end(run, true, error),
    );
  }

  private end(run: Run, failed: boolean, outcome: unknown): void {
    run.task.timeoutTimer?.cancel();
    const scope = run.context.openedScope;
    if (scope === undefined) this.finish(run, failed, outcome);
    else void this.dispose(run, scope).then(() => this.finish(run, failed, outcome));
  }

  private finish({ task, begunAt, onEnded }: Run, failed: boolean, outcome: unknown): void {
    // A timed-out or cancelled task has its outcome already; this was only its end.
    if (task.isActive) this.settle(task, failed, outcome, begunAt);
    onEnded(task);
  }

  private settle(task: MemoryTask, failed: boolean, outcome: unknown, begunAt: number): void {
    const { clock, events } = this.dependencies;
    const aborted = task.abortedBecause;
    if (!failed) {
      task.settle('completed', outcome);
      if (!events.wants('task.completed')) return;
      events.emit('task.completed', { ...describe(task), durationMs: clock.monotonic() - begunAt });
    } else if (aborted !== undefined && isCancellation(outcome, task.signal)) {
      task.settle('cancelled', aborted);
      events.emit('task.cancelled', { ...describe(task), reason: aborted });
    } else {
      task.settle('dead', outcome);
      const durationMs = clock.monotonic() - begunAt;
      events.emit('task.failed', { ...describe(task), durationMs, error: outcome });
    }
  }

  private armTimeout(task: MemoryTask): ClockTimer | undefined {
    const timeoutMs = task.options.timeoutMs ?? this.defaultTimeoutMs;
    if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) return undefined;
    return this.dependencies.clock.schedule(timeoutMs, () => {
      if (!task.isActive) return;
      const error = new TaskTimeoutError(task.id, task.queue, timeoutMs);
      task.settle('dead', error); // first: who listens to the signal may cancel the task
      task.abort(error);
      this.dependencies.events.emit('task.timedOut', { ...describe(task), timeoutMs });
      this.onTimedOut(task);
    });
  }

  private async dispose({ task, context }: Run, scope: ServiceScope): Promise<void> {
    try {
      await runInside(context, () => scope[Symbol.asyncDispose]()); // still the task's own doing
    } catch (error) {
      const owner = `task ${task.id} of queue '${task.queue}'`;
      this.dependencies.events.emit('scope.disposeFailed', { owner, error });
    }
  }
}

function isObject(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function describe(task: MemoryTask): { queue: string; taskId: string; name: string } {
  return { queue: task.queue, taskId: task.id, name: task.name };
}
