import type { Clock } from 'nestjs-nightshift/channels';
import type { TaskCounts } from './task-record.js';

/** What others do is counted no more often, however much that is: to count costs the store something, and is done by everybody. */
const countsOthersEveryMs = 500;

/** How many tasks of a stored queue do not run, as far as this process knows: as of the last count, and what it did since. */
export class KnownCounts {
  waiting = 0;
  /** Scheduled, or to be retried. */
  later = 0;
  private isCounting = false;
  private isStale = false;
  private isDue = false;
  private countedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly clock: Clock,
    private readonly count: () => Promise<TaskCounts>,
    private readonly onFailed: (error: unknown) => void,
  ) {}

  /** Counts, soon. While it is counting, once more after that. */
  recount(): void {
    this.isStale = this.isCounting;
    if (!this.isCounting) void this.take();
  }

  /** Others have changed something: counts at the next {@link recountIfDue}, if it has not been counted a moment ago. */
  recountSoon(): void {
    this.isDue = true;
  }

  /** To be asked several times a second. */
  recountIfDue(): void {
    if (this.isDue && this.clock.monotonic() - this.countedAt >= countsOthersEveryMs) this.recount();
  }

  private async take(): Promise<void> {
    this.isCounting = true;
    this.isDue = false;
    this.countedAt = this.clock.monotonic();
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
