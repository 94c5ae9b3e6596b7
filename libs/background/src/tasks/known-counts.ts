import type { TaskCounts } from './task-record.js';

/** How many tasks of a stored queue do not run, as far as this process knows: as of the last count, and what it did since. */
export class KnownCounts {
  waiting = 0;
  /** Scheduled, or to be retried. */
  later = 0;
  private isCounting = false;
  private isStale = false;

  constructor(
    private readonly count: () => Promise<TaskCounts>,
    private readonly onFailed: (error: unknown) => void,
  ) {}

  /** Counts, soon. While it is counting, once more after that. */
  recount(): void {
    this.isStale = this.isCounting;
    if (!this.isCounting) void this.take();
  }

  private async take(): Promise<void> {
    this.isCounting = true;
    try {
      const counts = await this.count();
      // What was done in one commit with the count is in it, and must not be added by whoever hears of it after this.
      process.nextTick(() => this.set(counts));
    } catch (error) {
      this.onFailed(error);
    } finally {
      this.isCounting = false;
    }
    if (this.isStale) this.recount();
  }

  private set({ waiting, scheduled, retrying }: TaskCounts): void {
    this.waiting = waiting;
    this.later = scheduled + retrying;
  }
}
