import { AsyncResource } from 'node:async_hooks';
import { untilNoClash } from './clash.js';
import { PostgresUnreachableError } from './errors.js';

interface Pending<C, R> {
  readonly call: C;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/** More wait for the next batch. */
const longestBatch = 1_000;

/**
 * Calls of one turn of the event loop, and those that come while the batch before is under way, share one statement: one way
 * to the server and back, and one wait for its disk. The more there is to do, the less each costs. One batch at a time, so
 * that calls take effect in their order.
 */
export class CallLane<C, R> {
  private waiting: Pending<C, R>[] = [];
  private isArmed = false;
  private isRunning = false;
  private readonly idle: (() => void)[] = [];
  private last: Promise<unknown> = Promise.resolve();
  /** Of the async context in which it was made: a batch belongs to none of its callers. */
  private readonly resource = new AsyncResource('nightshift');

  /** @param run gives a result for each call, in one transaction: all take effect, or none */
  constructor(private readonly run: (calls: readonly C[]) => Promise<readonly R[]>) {}

  call(call: C): Promise<R> {
    const called = new Promise<R>((resolve, reject) => {
      this.waiting.push({ call, resolve, reject });
      this.arm();
    });
    this.last = called;
    return called;
  }

  /** Resolves when what was called until now has taken effect, or failed. */
  async whenDone(): Promise<void> {
    await this.last.catch(() => undefined);
  }

  /** Resolves when all that was called is done. */
  async whenIdle(): Promise<void> {
    if (this.isArmed || this.isRunning) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private arm(): void {
    if (this.isArmed || this.isRunning) return;
    this.isArmed = true;
    this.resource.runInAsyncScope(() => setImmediate(this.flush));
  }

  private readonly flush = (): void => {
    this.isArmed = false;
    this.isRunning = true;
    const batch = this.waiting.slice(0, longestBatch);
    this.waiting = this.waiting.slice(longestBatch);
    void this.settle(batch).then(() => this.goOn());
  };

  /** One call that fails does not spoil the others: then each is tried alone. */
  private async settle(batch: readonly Pending<C, R>[]): Promise<void> {
    try {
      const calls = batch.map(({ call }) => call);
      const results = await untilNoClash(() => this.run(calls));
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]!);
    } catch (error) {
      if (batch.length === 1 || error instanceof PostgresUnreachableError)
        for (const { reject } of batch) reject(error);
      else for (const pending of batch) await this.settle([pending]);
    }
  }

  private goOn(): void {
    this.isRunning = false;
    if (this.waiting.length > 0) return this.arm();
    for (const resolve of this.idle.splice(0)) resolve();
  }
}
