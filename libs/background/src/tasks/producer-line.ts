import { AbortWatch, type Abortable } from 'nestjs-nightshift/channels';
import type { LocalTask } from './local-task.js';

interface Producer extends Abortable {
  readonly task: LocalTask;
  admit(): void;
}

/** Those who wait in `enqueue()` until there is room for their task, first come first served. */
export class ProducerLine {
  private readonly line = new Map<LocalTask, Producer>();

  get isEmpty(): boolean {
    return this.line.size === 0;
  }

  /** The tasks that are to come in, in the order of their producers. */
  get tasks(): Iterable<LocalTask> {
    return this.line.keys();
  }

  /** Resolves when the task is admitted. Rejects with the reason of whichever signal is aborted first. */
  wait(task: LocalTask, signals: readonly (AbortSignal | undefined)[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const watches = signals.flatMap((signal) => (signal === undefined ? [] : [AbortWatch.over(signal)]));
      const leave = (): void => {
        this.line.delete(task);
        for (const watch of watches) watch.delete(producer);
      };
      const producer: Producer = {
        task,
        admit: () => {
          leave();
          resolve();
        },
        abort: (error) => {
          leave();
          reject(error);
        },
      };
      this.line.set(task, producer);
      for (const watch of watches) watch.add(producer);
    });
  }

  /** Lets the producer of a task in. */
  admit(task: LocalTask): void {
    this.line.get(task)!.admit();
  }

  refuseAll(error: unknown): void {
    for (const producer of this.line.values()) producer.abort(error);
  }
}
