import { AsyncResource } from 'node:async_hooks';
import { explain, isBusy, SqliteBusyError, SqliteClosedError } from './errors.js';
import type { StoreAnswer, StoreCall } from './store-batch.js';

/** Runs batches: in this thread, or in another. */
export interface BatchRunner {
  /** Rejects, or throws, with SQLite's own error when it is somebody else's turn to write. */
  run(calls: readonly StoreCall[]): readonly StoreAnswer[] | Promise<readonly StoreAnswer[]>;
  close(): Promise<void>;
}

interface Pending {
  readonly method: StoreCall['method'];
  /** Made when the batch is, and not before. */
  readonly values: () => readonly unknown[];
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** So many calls at once keep the event loop for a few milliseconds; more wait for the next turn. */
const longestBatch = 1_000;
/** How long to wait for the next try when it is somebody else's turn, in milliseconds: at random, and growing to the last. */
const pauses = [1, 2, 4, 8, 15, 25] as const;

/**
 * Calls of one turn of the event loop share one commit, and so one wait for the disk: the more callers, the less each costs.
 * While somebody else writes they wait, without blocking anything, and are tried again after a pause that is left to chance,
 * so that of several processes none is always the one that comes too late.
 */
export class GroupCommit {
  private waiting: Pending[] = [];
  private isArmed = false;
  private isRunning = false;
  private isClosed = false;
  private busySince: number | undefined;
  private tries = 0;
  private readonly idle: (() => void)[] = [];
  /** Of the async context in which it was made: a batch belongs to none of its callers. */
  private readonly resource = new AsyncResource('nightshift');

  /** @param patienceMs how long to wait for others to finish writing */
  constructor(
    private readonly runner: BatchRunner,
    private readonly file: string,
    private readonly patienceMs: number,
  ) {}

  /** @param values asked for when the batch is made */
  call<R>(method: StoreCall['method'], values: () => readonly unknown[]): Promise<R> {
    if (this.isClosed) return Promise.reject(new SqliteClosedError(this.file));
    return new Promise<R>((resolve, reject) => {
      this.waiting.push({ method, values, resolve: resolve as (value: unknown) => void, reject });
      this.arm();
    });
  }

  /** Does what has been asked for, and takes nothing more. */
  async close(): Promise<void> {
    this.isClosed = true;
    if (this.isArmed || this.isRunning) await new Promise<void>((resolve) => this.idle.push(resolve));
    await this.runner.close();
  }

  private arm(): void {
    if (this.isArmed || this.isRunning) return;
    this.isArmed = true;
    this.resource.runInAsyncScope(() => setImmediate(this.flush));
  }

  private readonly flush = (): void => {
    this.isArmed = false;
    const batch = this.waiting.slice(0, longestBatch);
    this.waiting = this.waiting.slice(longestBatch);
    const calls = batch.map(({ method, values }) => ({ method, values: values() }));
    try {
      const answers = this.runner.run(calls);
      if (!(answers instanceof Promise)) return this.answer(batch, answers);
      this.isRunning = true;
      answers.then(
        (given) => this.answer(batch, given),
        (error: unknown) => this.fail(batch, error),
      );
    } catch (error) {
      this.fail(batch, error);
    }
  };

  private answer(batch: readonly Pending[], answers: readonly StoreAnswer[]): void {
    // It can be somebody else's turn for single calls, too: while the log of a process that was killed is read, for one.
    const late: Pending[] = [];
    let busyError: unknown;
    for (const [index, pending] of batch.entries()) {
      const answer = answers[index]!;
      if (!('error' in answer)) pending.resolve(answer.value);
      else if (!isBusy(answer.error)) pending.reject(explain(answer.error, this.file));
      else {
        late.push(pending);
        busyError = answer.error;
      }
    }
    if (late.length > 0) return this.fail(late, busyError);
    this.busySince = undefined;
    this.tries = 0;
    this.goOn();
  }

  private fail(batch: readonly Pending[], error: unknown): void {
    const now = performance.now();
    this.busySince ??= now;
    const waitedMs = now - this.busySince;
    if (isBusy(error) && waitedMs < this.patienceMs) return this.tryAgain(batch);
    this.busySince = undefined;
    this.tries = 0;
    const reason = isBusy(error)
      ? new SqliteBusyError(this.file, Math.round(waitedMs), { cause: error })
      : explain(error, this.file);
    for (const { reject } of batch) reject(reason);
    this.goOn();
  }

  private tryAgain(batch: readonly Pending[]): void {
    this.waiting = [...batch, ...this.waiting];
    this.isRunning = false;
    this.isArmed = true;
    const pauseMs = pauses[Math.min(this.tries, pauses.length - 1)]!;
    this.tries += 1;
    setTimeout(this.flush, pauseMs * Math.random());
  }

  private goOn(): void {
    this.isRunning = false;
    if (this.waiting.length > 0) return this.arm();
    for (const resolve of this.idle.splice(0)) resolve();
  }
}
