import type { TaskContext, TaskDefinition } from 'nestjs-nightshift';

interface Run {
  readonly context: TaskContext;
  resolve(result: string): void;
  reject(error: unknown): void;
}

/** Work that the case brings to its end, by the name that is its payload. */
export class HeldWork {
  /** The names of the tasks that have begun, in order; of one with several attempts several times. */
  readonly began: string[] = [];
  /** The last attempt of each. */
  private readonly runs = new Map<string, Run>();
  private readonly ends: (() => void)[] = [];

  constructor(
    readonly definition: TaskDefinition<string, string>,
    /** Whether it ends with the reason of its signal when that is aborted. */
    private readonly heedsSignal: boolean,
  ) {}

  readonly handle = (name: string, context: TaskContext): Promise<string> => {
    this.began.push(name);
    return new Promise((resolve, reject) => {
      this.runs.set(name, { context, resolve, reject });
      this.ends.push(() => resolve('the case is over'));
      if (!this.heedsSignal) return;
      const { signal } = context;
      const giveUp = (): void => reject(signal.reason as Error);
      if (signal.aborted) giveUp();
      else signal.addEventListener('abort', giveUp, { once: true });
    });
  };

  /** The context of the last attempt. */
  context(name: string): TaskContext {
    return this.run(name).context;
  }

  finish(name: string, result = `result of ${name}`): void {
    this.run(name).resolve(result);
  }

  /** What will end the attempt that runs now, even if there is a later one by then. */
  ending(name: string): (result: string) => void {
    const { resolve } = this.run(name);
    return resolve;
  }

  fail(name: string, error: unknown): void {
    this.run(name).reject(error);
  }

  finishAll(): void {
    for (const end of this.ends) end();
  }

  private run(name: string): Run {
    const run = this.runs.get(name);
    if (run === undefined) throw new Error(`No task '${name}' has begun.`);
    return run;
  }
}
