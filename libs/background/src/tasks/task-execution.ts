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

  /** Resolves when the work has ended and its scope is disposed. Never rejects: a failure is an outcome. */
  async run(task: MemoryTask): Promise<void> {
    const { clock, events, scopes, wrap } = this.dependencies;
    task.activate();
    if (events.wants('task.started')) events.emit('task.started', describe(task));
    const begunAt = clock.monotonic();
    const timer = this.armTimeout(task);
    const context = new RunningTask(task, scopes);
    let outcome: unknown;
    let failed = false;
    try {
      outcome = await runInside(context, () =>
        wrap ? wrap(context, async () => task.work(context)) : task.work(context),
      );
    } catch (error) {
      outcome = error;
      failed = true;
    }
    timer?.cancel();
    if (context.openedScope !== undefined) await this.dispose(task, context.openedScope);
    // A timed-out or cancelled task has its outcome already; this was only its end.
    if (task.isActive) this.settle(task, failed, outcome, clock.monotonic() - begunAt);
  }

  private settle(task: MemoryTask, failed: boolean, outcome: unknown, durationMs: number): void {
    const { events } = this.dependencies;
    const aborted = task.abortedBecause;
    if (!failed) {
      task.settle('completed', outcome);
      if (events.wants('task.completed')) events.emit('task.completed', { ...describe(task), durationMs });
    } else if (aborted !== undefined && isCancellation(outcome, task.signal)) {
      task.settle('cancelled', aborted);
      events.emit('task.cancelled', { ...describe(task), reason: aborted });
    } else {
      task.settle('dead', outcome);
      events.emit('task.failed', { ...describe(task), durationMs, error: outcome });
    }
  }

  private armTimeout(task: MemoryTask): ClockTimer | undefined {
    const timeoutMs = task.options.timeoutMs ?? this.defaultTimeoutMs;
    if (timeoutMs === undefined) return undefined;
    return this.dependencies.clock.schedule(timeoutMs, () => {
      if (!task.isActive) return;
      const error = new TaskTimeoutError(task.id, task.queue, timeoutMs);
      task.settle('dead', error); // first: who listens to the signal may cancel the task
      task.abort(error);
      this.dependencies.events.emit('task.timedOut', { ...describe(task), timeoutMs });
      this.onTimedOut(task);
    });
  }

  private async dispose(task: MemoryTask, scope: ServiceScope): Promise<void> {
    try {
      await scope[Symbol.asyncDispose]();
    } catch (error) {
      const owner = `task ${task.id} of queue '${task.queue}'`;
      this.dependencies.events.emit('scope.disposeFailed', { owner, error });
    }
  }
}

function describe(task: MemoryTask): { queue: string; taskId: string; name: string } {
  return { queue: task.queue, taskId: task.id, name: task.name };
}
