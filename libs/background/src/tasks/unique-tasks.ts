import { AbortWatch, type Abortable } from 'nestjs-nightshift/channels';
import type { LocalTask } from './local-task.js';

/** The tasks of a queue that nobody may enqueue once more, by their `deduplicationKey`. */
export class UniqueTasks {
  private readonly byKey = new Map<string, LocalTask>();
  /** Those whose producer waits for space: they are not in the queue yet, and perhaps never will be. */
  private readonly entering = new Map<LocalTask, Promise<LocalTask>>();

  /** The task with this key that has not come to its end. */
  find(key: string): LocalTask | undefined {
    const task = this.byKey.get(key);
    return task?.isSettled === false ? task : undefined;
  }

  /** When a task enters the queue, if it has not yet. */
  entryOf(task: LocalTask): Promise<LocalTask> | undefined {
    return this.entering.get(task);
  }

  add(key: string, task: LocalTask): void {
    this.byKey.set(key, task);
  }

  /** The producer of a task waits for space; `entry` settles when that is over. */
  noteEntering(task: LocalTask, entry: Promise<LocalTask>): void {
    this.entering.set(task, entry);
    const forget = (): void => void this.entering.delete(task);
    entry.then(forget, forget);
  }

  /** The task has left the queue, or has not come in. */
  delete(key: string, task: LocalTask): void {
    if (this.byKey.get(key) === task) this.byKey.delete(key); // else one after it has the key
  }
}

/** What follows when another producer has waited for space. */
interface AfterEntry {
  /** It got in. */
  entered(task: LocalTask): LocalTask;
  /** It gave up. */
  otherwise(): Promise<LocalTask>;
}

/** Waits for what another producer waits for. Rejects with the signal's reason when it is aborted first. */
export function waitAlong(
  entry: Promise<LocalTask>,
  signal: AbortSignal | undefined,
  { entered, otherwise }: AfterEntry,
): Promise<LocalTask> {
  return new Promise((resolve, reject) => {
    const watch = signal && AbortWatch.over(signal);
    const leaving: Abortable = { abort: reject };
    watch?.add(leaving);
    const stay = (next: () => LocalTask | Promise<LocalTask>): void => {
      watch?.delete(leaving);
      if (signal?.aborted !== true) resolve(next());
    };
    entry.then(
      (task) => stay(() => entered(task)),
      () => stay(otherwise),
    );
  });
}
