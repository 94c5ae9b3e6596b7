import { AsyncResource } from 'node:async_hooks';
import { createPriorityChannel, type Channel, type Clock, type ClockTimer } from 'nestjs-nightshift/channels';

/** Fewer cancelled entries than this are not worth a clearing. */
const clearedFrom = 32;

/** Something to be done at a time. */
export class TimetableEntry {
  /** Neither done nor cancelled. */
  isOpen = true;

  constructor(
    /** As the clock's `monotonic()` will show it. */
    readonly dueAt: number,
    readonly run: () => void,
    private readonly onCancelled: () => void,
  ) {}

  cancel(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.onCancelled();
  }
}

/**
 * Things to be done at their times, over one timer: armed for the earliest, and not at all when there are none. Those due
 * at the same time are done in the order in which they were added.
 */
export class Timetable {
  private entries = createEntries();
  private cancelled = 0;
  private timer: ClockTimer | undefined;
  private armedFor: number | undefined;
  /** Of the async context in which the timer is armed: it must not hold on to that of a request. */
  private readonly resource = new AsyncResource('nightshift');

  /** @param onDone called when all that was due at one time is done */
  constructor(
    private readonly clock: Clock,
    private readonly onDone: () => void = () => {},
  ) {}

  /** When the next one is due, as `monotonic()` will show it; `undefined` when there is none. */
  get nextAt(): number | undefined {
    return this.entries.reader.tryPeek()?.dueAt;
  }

  /** @param run must not throw */
  add(delayMs: number, run: () => void): TimetableEntry {
    const entry = new TimetableEntry(this.clock.monotonic() + delayMs, run, this.onCancelled);
    this.entries.writer.tryWrite(entry);
    this.arm();
    return entry;
  }

  private readonly onCancelled = (): void => {
    this.cancelled += 1;
    if (this.cancelled >= clearedFrom && this.cancelled * 2 > this.entries.reader.count) this.clear();
    this.forgetFirstCancelled();
    this.arm();
  };

  private readonly runDue = (): void => {
    this.timer = undefined;
    this.armedFor = undefined;
    const now = this.clock.monotonic();
    for (let dueAt = this.nextAt; dueAt !== undefined && dueAt <= now; dueAt = this.nextAt) {
      const entry = this.entries.reader.tryRead()!;
      entry.isOpen = false;
      this.forgetFirstCancelled();
      entry.run();
    }
    this.onDone();
    this.arm();
  };

  private arm(): void {
    const { nextAt } = this;
    if (nextAt === this.armedFor) return;
    this.timer?.cancel();
    this.armedFor = nextAt;
    this.timer =
      nextAt === undefined
        ? undefined
        : this.resource.runInAsyncScope(() =>
            this.clock.schedule(Math.max(0, nextAt - this.clock.monotonic()), this.runDue),
          );
  }

  /** So that the first one is never a cancelled one. */
  private forgetFirstCancelled(): void {
    const { reader } = this.entries;
    while (reader.tryPeek()?.isOpen === false) {
      reader.tryRead();
      this.cancelled -= 1;
    }
  }

  private clear(): void {
    const kept = createEntries();
    const { reader } = this.entries;
    for (let entry = reader.tryRead(); entry !== undefined; entry = reader.tryRead()) {
      if (entry.isOpen) kept.writer.tryWrite(entry);
    }
    this.entries = kept;
    this.cancelled = 0;
  }
}

function createEntries(): Channel<TimetableEntry> {
  return createPriorityChannel<TimetableEntry>({ compare: (a, b) => a.dueAt - b.dueAt });
}
