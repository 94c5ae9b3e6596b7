import { AbortWatch, type Abortable } from 'nestjs-nightshift/channels';
import type { MemoryTask } from './memory-task.js';

/** The tasks of a queue that nobody may enqueue once more, by their `deduplicationKey`. */
export class UniqueTasks {
  private readonly byKey = new Map<string, MemoryTask>();
  /** Those whose producer waits for space: they are not in the queue yet, and perhaps never will be. */
  private readonly entering = new Map<MemoryTask, Promise<MemoryTask>>();

  /** The task with this key that has not come to its end. */
  find(key: string): MemoryTask | undefined {
    const task = this.byKey.get(key);
    return task?.isSettled === false ? task : undefined;
  }

  /** When a task enters the queue, if it has not yet. */
  entryOf(task: MemoryTask): Promise<MemoryTask> | undefined {
    return this.entering.get(task);
  }

  add(key: string, task: MemoryTask): void {
    this.byKey.set(key, task);
  }

  /** The producer of a task waits for space; `entry` settles when that is over. */
  noteEntering(task: MemoryTask, entry: Promise<MemoryTask>): void {
    this.entering.set(task, entry);
    const forget = (): void => void this.entering.delete(task);
    entry.then(forget, forget);
  }

  /** The task has left the queue, or has not come in. */
  delete(key: string, task: MemoryTask): void {
    if (this.byKey.get(key) === task) this.byKey.delete(key); // else one after it has the key
  }
}

/** What follows when another producer has waited for space. */
interface AfterEntry {
  /** It got in. */
  entered(task: MemoryTask): MemoryTask;
  /** It gave up. */
  otherwise(): Promise<MemoryTask>;
}

/** Waits for what another producer waits for. Rejects with the signal's reason when it is aborted first. */
export function waitAlong(
  entry: Promise<MemoryTask>,
  signal: AbortSignal | undefined,
  { entered, otherwise }: AfterEntry,
): Promise<MemoryTask> {
  return new Promise((resolve, reject) => {
    const watch = signal && AbortWatch.over(signal);
    const leaving: Abortable = { abort: reject };
    watch?.add(leaving);
    const stay = (next: () => MemoryTask | Promise<MemoryTask>): void => {
      watch?.delete(leaving);
      if (signal?.aborted !== true) resolve(next());
    };
    entry.then(
      (task) => stay(() => entered(task)),
      () => stay(otherwise),
    );
  });
}
