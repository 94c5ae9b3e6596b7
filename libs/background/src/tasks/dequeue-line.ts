import { AbortWatch, type Abortable } from 'nestjs-nightshift/channels';
import type { DequeuedTask } from './task.js';

interface Dequeuer extends Abortable {
  serve(task: DequeuedTask): void;
}

/** Those who wait in `dequeue()`, first come first served. Whoever is served has the task in that very step. */
export class DequeueLine {
  private readonly line = new Set<Dequeuer>();

  get length(): number {
    return this.line.size;
  }

  get isEmpty(): boolean {
    return this.line.size === 0;
  }

  /** Rejects with the signal's reason when it is aborted first. */
  wait(signal: AbortSignal | undefined): Promise<DequeuedTask> {
    return new Promise((resolve, reject) => {
      const watch = signal && AbortWatch.over(signal);
      const leave = (): void => {
        this.line.delete(dequeuer);
        watch?.delete(dequeuer);
      };
      const dequeuer: Dequeuer = {
        serve: (task) => {
          leave();
          resolve(task);
        },
        abort: (error) => {
          leave();
          reject(error);
        },
      };
      this.line.add(dequeuer);
      watch?.add(dequeuer);
    });
  }

  /** Hands a task to whoever has waited longest. There must be someone. */
  serve(task: DequeuedTask): void {
    const [first] = this.line;
    first!.serve(task);
  }

  refuseAll(error: unknown): void {
    for (const dequeuer of this.line) dequeuer.abort(error);
  }
}
