import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { SqliteThreadError } from './errors.js';
import type { BatchRunner } from './group-commit.js';
import type { StoreOptions } from './open-store.js';
import { fromPlainError } from './plain-error.js';
import type { StoreAnswer, StoreCall } from './store-batch.js';
import type { ThreadAnswer, ThreadRequest } from './store-thread.js';

interface Reply {
  resolve(answers: readonly StoreAnswer[]): void;
  reject(error: unknown): void;
}

/** Runs batches in a thread of its own: the event loop never waits for the disk, and each batch takes a little longer. */
export async function openThreadRunner(options: StoreOptions): Promise<BatchRunner> {
  const worker = new Worker(new URL('store-thread.js', import.meta.url), { workerData: options });
  const runner = new ThreadRunner(worker, options.file);
  await runner.opened;
  worker.unref(); // only a call that is under way keeps the process
  return runner;
}

class ThreadRunner implements BatchRunner {
  readonly opened: Promise<void>;
  private reply: Reply | undefined;
  private ended: unknown;

  constructor(
    private readonly worker: Worker,
    private readonly file: string,
  ) {
    this.opened = new Promise((resolve, reject) => {
      this.reply = { resolve: () => resolve(), reject };
    });
    worker.on('message', (answer: ThreadAnswer) => this.onAnswer(answer));
    worker.on('error', (error) => this.onEnd(error));
    worker.on('exit', (code) => this.onEnd(new Error(`It ended with code ${code}.`)));
  }

  /** One batch at a time: the next is made of what has come up meanwhile. */
  run(calls: readonly StoreCall[]): Promise<readonly StoreAnswer[]> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) return reject(this.ended as Error);
      this.worker.ref();
      this.reply = { resolve, reject };
      this.worker.postMessage({ calls } satisfies ThreadRequest);
    });
  }

  async close(): Promise<void> {
    if (this.ended !== undefined) return;
    const exited = once(this.worker, 'exit');
    this.worker.ref();
    this.worker.postMessage('close' satisfies ThreadRequest);
    await exited;
  }

  private onAnswer(answer: ThreadAnswer): void {
    const { reply } = this;
    this.reply = undefined;
    this.worker.unref();
    if (answer.kind === 'failed') return reply?.reject(fromPlainError(answer.error));
    const answers = answer.kind === 'open' ? [] : answer.answers;
    reply?.resolve(
      answers.map((each) => ('error' in each ? { error: fromPlainError(each.error as never) } : each)),
    );
  }

  private onEnd(error: unknown): void {
    this.ended ??= new SqliteThreadError(this.file, { cause: error });
    this.reply?.reject(this.ended);
    this.reply = undefined;
  }
}
