import { toMilliseconds, type Clock, type Duration } from 'nestjs-nightshift/channels';
import type { TaskContext } from '../scopes/context.js';
import type { ServiceScope, ServiceScopeFactory } from '../scopes/scope.js';
import { Discard, RetryAfter } from '../scopes/task-outcome.js';
import type { LocalTask } from './local-task.js';
import { longestDelayMs } from './longest-delay.js';
import { TaskLog } from './task-log.js';
import type { ResolvedEnqueueOptions } from './enqueue.options.js';

/** What is known of a task while one attempt runs. */
type Attempt = Pick<
  LocalTask,
  'id' | 'name' | 'queue' | 'attempt' | 'maxAttempts' | 'enqueuedAt' | 'signal' | 'log'
>;

/** The context of one attempt of a task. Makes its scope when it is first asked for. */
export class RunningTask implements TaskContext {
  private task: Attempt;
  /** The task forgets them when it has ended. */
  private readonly options: ResolvedEnqueueOptions;
  private taskScope: ServiceScope | undefined;

  constructor(
    task: LocalTask,
    private readonly scopes: ServiceScopeFactory,
    private readonly clock: Clock,
  ) {
    this.task = task;
    this.options = task.options;
  }

  get id(): string {
    return this.task.id;
  }

  get name(): string {
    return this.task.name;
  }

  get queue(): string {
    return this.task.queue;
  }

  get attempt(): number {
    return this.task.attempt;
  }

  get maxAttempts(): number {
    return this.options.retry?.maxAttempts ?? this.task.maxAttempts;
  }

  get enqueuedAt(): Date {
    return this.task.enqueuedAt;
  }

  get signal(): AbortSignal {
    return this.task.signal;
  }

  get scope(): ServiceScope {
    return (this.taskScope ??= this.scopes.createScope(this));
  }

  retryAfter(delay: Duration): RetryAfter {
    return new RetryAfter(Math.min(toMilliseconds(delay, 'delay'), longestDelayMs));
  }

  discard(reason?: unknown): Discard {
    return new Discard(reason);
  }

  progress(value: number, message?: string): void {
    this.task.log.setProgress(value, message, new Date(this.clock.now()));
  }

  log(message: string): void {
    this.task.log.write(message, new Date(this.clock.now()));
  }

  get tags(): readonly string[] {
    return this.options.tags;
  }

  get metadata(): Readonly<Record<string, unknown>> {
    return this.options.metadata;
  }

  /** The attempt has ended, and the task goes on to another: whoever still has this context sees nothing of that. */
  detach(): void {
    const { id, name, queue, attempt, maxAttempts, enqueuedAt, signal } = this.task;
    this.task = {
      id,
      name,
      queue,
      attempt,
      maxAttempts,
      enqueuedAt,
      signal,
      get log() {
        return new TaskLog(); // which nobody reads
      },
    };
  }

  /** The scope, if one was made. */
  get openedScope(): ServiceScope | undefined {
    return this.taskScope;
  }
}
