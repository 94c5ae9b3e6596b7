import type { TaskContext } from '../scopes/context.js';
import type { ServiceScope, ServiceScopeFactory } from '../scopes/scope.js';
import type { MemoryTask } from './memory-task.js';

/** The context of one running task. Makes its scope when it is first asked for. */
export class RunningTask implements TaskContext {
  readonly metadata: Readonly<Record<string, unknown>>;
  private taskScope: ServiceScope | undefined;

  constructor(
    private readonly task: MemoryTask,
    private readonly scopes: ServiceScopeFactory,
  ) {
    this.metadata = task.options.metadata;
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
    return 1;
  }

  get maxAttempts(): number {
    return 1;
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

  /** The scope, if one was made. */
  get openedScope(): ServiceScope | undefined {
    return this.taskScope;
  }
}
