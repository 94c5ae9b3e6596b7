import type { DequeuedTask } from './task.js';

interface Dequeuer {
  serve(task: DequeuedTask): void;
  refuse(error: unknown): void;
}

/** Those who wait in `dequeue()`, first come first served. Whoever is served has the task in that very step. */
export class DequeueLine {
  private readonly line = new Set<Dequeuer>();

  get isEmpty(): boolean {
    return this.line.size === 0;
  }

  /** Rejects with the signal's reason when it is aborted first. */
  wait(signal: AbortSignal | undefined): Promise<DequeuedTask> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.line.delete(dequeuer);
        signal?.removeEventListener('abort', giveUp);
      };
      const dequeuer: Dequeuer = {
        serve: (task) => {
          leave();
          resolve(task);
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const giveUp = (): void => dequeuer.refuse(signal!.reason);
      this.line.add(dequeuer);
      signal?.addEventListener('abort', giveUp);
    });
  }

  /** Hands a task to whoever has waited longest. There must be someone. */
  serve(task: DequeuedTask): void {
    const [first] = this.line;
    first!.serve(task);
  }

  refuseAll(error: unknown): void {
    for (const dequeuer of this.line) dequeuer.refuse(error);
  }
}
