import type { TaskHandle, TaskState } from './task.js';

/** What a handle of a stored task needs of the engine. */
export interface StoredTaskOwner {
  readonly name: string;
  resultOf(id: string): Promise<unknown>;
  cancelOne(id: string, reason: unknown): Promise<boolean>;
  /** @throws UnknownTaskError */
  stateOf(id: string): Promise<TaskState>;
}

/** The handle of a task that is kept in a store: it holds nothing but the id, and looks up the rest. */
export class StoredHandle<R = unknown> implements TaskHandle<R> {
  constructor(
    private readonly owner: StoredTaskOwner,
    readonly id: string,
    readonly name: string,
  ) {}

  get queue(): string {
    return this.owner.name;
  }

  result(): Promise<R> {
    return this.owner.resultOf(this.id) as Promise<R>;
  }

  cancel(reason?: unknown): Promise<boolean> {
    return this.owner.cancelOne(this.id, reason);
  }

  state(): Promise<TaskState> {
    return this.owner.stateOf(this.id);
  }
}
