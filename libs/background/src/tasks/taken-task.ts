import { AbortWatch, type Abortable } from 'nestjs-nightshift/channels';
import type { LocalTask } from './local-task.js';
import type { DequeuedTask } from './task.js';

/** A task in the hands of whoever dequeued it. */
export class TakenTask implements DequeuedTask {
  private ended: Promise<void> | undefined;

  /** @param runToEnd runs the task, unless it has been cancelled or given up meanwhile */
  constructor(
    private readonly task: LocalTask,
    private readonly runToEnd: (task: LocalTask) => Promise<void>,
  ) {}

  get id(): string {
    return this.task.id;
  }

  get queue(): string {
    return this.task.queue;
  }

  get name(): string {
    return this.task.name;
  }

  get enqueuedAt(): Date {
    return this.task.enqueuedAt;
  }

  run({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    return (this.ended ??= this.runUnder(signal));
  }

  private async runUnder(signal: AbortSignal | undefined): Promise<void> {
    const { task } = this;
    if (signal === undefined) return this.runToEnd(task);
    const cancellation: Abortable = { abort: (reason) => void task.cancel(reason) };
    if (signal.aborted) cancellation.abort(signal.reason);
    const watch = AbortWatch.over(signal);
    watch.add(cancellation);
    await this.runToEnd(task);
    watch.delete(cancellation);
  }
}
