import type { TaskCounts } from './task-record.js';

/** How many tasks of a stored queue do not run, as far as this process knows: as of the last count, and what it did since. */
export class KnownCounts {
  waiting = 0;
  /** Scheduled, or to be retried. */
  later = 0;
  private inserting = 0;
  private isCounting = false;
  private isStale = false;

  constructor(
    private readonly count: () => Promise<TaskCounts>,
    private readonly onFailed: (error: unknown) => void,
  ) {}

  /** A task is being added: until {@link noteInserted} nobody can say whether a count has it or not. */
  noteInserting(): void {
    this.inserting += 1;
  }

  /** Whether it was added the caller says by adding it here. */
  noteInserted(): void {
    this.inserting -= 1;
    if (this.isStale && this.inserting === 0) this.recount();
  }

  /** Counts, soon. While it is counting, once more after that. */
  recount(): void {
    this.isStale = true;
    if (this.isCounting) return;
    this.isCounting = true;
    this.isStale = false;
    void this.take();
  }

  private async take(): Promise<void> {
    try {
      const { waiting, scheduled, retrying } = await this.count();
      if (this.inserting > 0) this.isStale = true;
      else [this.waiting, this.later] = [waiting, scheduled + retrying];
    } catch (error) {
      this.onFailed(error);
    } finally {
      this.isCounting = false;
    }
    if (this.isStale && this.inserting === 0) this.recount();
  }
}
