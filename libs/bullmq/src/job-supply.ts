import { DequeueLine, IllegalStateError, QueueClosedError, type DequeuedTask } from 'nestjs-nightshift';

/** What a supply asks of whoever has the worker. */
export interface JobSource {
  /**
   * Fetches a job, if there is one, and settles what may not run here and now. Resolves with whether there was one, when it
   * has been handed over or is out of the way; rejects when the server cannot be asked.
   */
  fetch(): Promise<boolean>;
  /** A fetch has failed. The next {@link JobSupply.fetchSoon} tries again. */
  onFailed(error: unknown): void;
}

/** Jobs for those who wait in `dequeue()`: as many are fetched as there are who wait, so that none lies about. */
export class JobSupply {
  private readonly line = new DequeueLine();
  private fetching: Promise<void> | undefined;
  private fetchesAgain = false;
  private isOpen = false;
  isPaused = false;

  constructor(
    private readonly queue: string,
    private readonly concurrency: number,
    private readonly source: JobSource,
  ) {}

  get hasTakers(): boolean {
    return !this.line.isEmpty;
  }

  open(): void {
    this.isOpen = true;
  }

  /** Whoever waits is refused, and whoever comes. */
  close(): void {
    this.isOpen = false;
    this.line.refuseAll(new QueueClosedError(this.queue));
  }

  dequeue(signal: AbortSignal | undefined): Promise<DequeuedTask> {
    const { concurrency } = this;
    if (concurrency > 0) {
      const state = `run by its own workers (concurrency ${concurrency})`;
      return Promise.reject(new IllegalStateError(`queue '${this.queue}'`, state, 'dequeue()'));
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (!this.isOpen) return Promise.reject(new QueueClosedError(this.queue));
    const dequeued = this.line.wait(signal);
    this.fetchSoon();
    return dequeued;
  }

  /** Hands a task to whoever has waited longest. There must be someone. */
  serve(task: DequeuedTask): void {
    this.line.serve(task);
  }

  /** There may be something for those who wait. */
  fetchSoon(): void {
    this.fetchesAgain = true;
    if (this.fetching === undefined && this.hasTakers) this.fetching = this.fetchUntilRest();
  }

  /** Resolves when no fetch is under way that may still bring a job. */
  async whenAtRest(): Promise<void> {
    await this.fetching;
  }

  private async fetchUntilRest(): Promise<void> {
    await this.fetchAll();
    this.fetching = undefined;
    if (this.fetchesAgain) this.fetchSoon(); // asked for in this very moment
  }

  private async fetchAll(): Promise<void> {
    try {
      while (this.fetchesAgain) {
        this.fetchesAgain = false;
        while (this.isOpen && !this.isPaused && this.hasTakers && (await this.source.fetch()));
      }
    } catch (error) {
      this.source.onFailed(error);
    }
  }
}
