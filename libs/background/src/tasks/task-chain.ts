import type { LocalTask } from './local-task.js';

/**
 * Tasks in an order, chained through themselves: being in it costs no memory, and any can be taken out at once. A task is
 * in one chain at a time, and knows in which.
 */
export class TaskChain implements Iterable<LocalTask> {
  first: LocalTask | undefined;
  last: LocalTask | undefined;
  size = 0;

  constructor(
    /** Whether it is of those whose time has come, and not of those that were enqueued to run at once. */
    readonly isDue: boolean,
    /** Whether it is of those that may not begin yet, because of their `concurrencyKey`. */
    readonly isHeldBack: boolean,
  ) {}

  append(task: LocalTask): void {
    this.insertAfter(this.last, task);
  }

  /** Puts a task that has been in front, here or elsewhere, to where it belongs: near one of the ends, as a rule. */
  restore(task: LocalTask): void {
    if (this.last === undefined || this.last.turn < task.turn) return this.append(task);
    let before: LocalTask | undefined;
    for (let at = this.first; at !== undefined && at.turn < task.turn; at = at.behind) before = at;
    this.insertAfter(before, task);
  }

  /** Takes out a task that is in it. */
  remove(task: LocalTask): void {
    const { ahead, behind } = task;
    if (ahead === undefined) this.first = behind;
    else ahead.behind = behind;
    if (behind === undefined) this.last = ahead;
    else behind.ahead = ahead;
    task.ahead = undefined; // who keeps the handle must not keep its neighbours
    task.behind = undefined;
    task.chain = undefined;
    this.size -= 1;
  }

  *[Symbol.iterator](): Iterator<LocalTask> {
    for (let at = this.first; at !== undefined; at = at.behind) yield at;
  }

  private insertAfter(ahead: LocalTask | undefined, task: LocalTask): void {
    const behind = ahead === undefined ? this.first : ahead.behind;
    task.chain = this;
    task.ahead = ahead;
    task.behind = behind;
    if (ahead === undefined) this.first = task;
    else ahead.behind = task;
    if (behind === undefined) this.last = task;
    else behind.ahead = task;
    this.size += 1;
  }
}
