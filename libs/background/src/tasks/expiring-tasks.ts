import type { Clock } from 'nestjs-nightshift/channels';
import type { LocalTask } from './local-task.js';
import { Timetable, type TimetableEntry } from './timetable.js';

/** The tasks of a queue that will be given up if they have not begun by a certain time. */
export class ExpiringTasks {
  private readonly timetable: Timetable;
  private readonly entries = new Map<LocalTask, TimetableEntry>();

  /** @param onExpired takes a task that has not been deleted in time; it must not throw */
  constructor(
    private readonly clock: Clock,
    private readonly onExpired: (task: LocalTask) => void,
  ) {
    this.timetable = new Timetable(clock);
  }

  get isEmpty(): boolean {
    return this.entries.size === 0;
  }

  /** Whether its time is up, though the timer has not yet said so. */
  isOver(task: LocalTask): boolean {
    if (this.isEmpty) return false;
    const entry = this.entries.get(task);
    return entry !== undefined && entry.dueAt <= this.clock.monotonic();
  }

  /** When its time is up, as the clock's `monotonic()` will show it; `undefined` when it does not expire. */
  dueAt(task: LocalTask): number | undefined {
    return this.entries.get(task)?.dueAt;
  }

  add(task: LocalTask, afterMs: number): void {
    const entry = this.timetable.add(afterMs, () => {
      this.entries.delete(task);
      this.onExpired(task);
    });
    this.entries.set(task, entry);
  }

  delete(task: LocalTask): void {
    this.entries.get(task)?.cancel();
    this.entries.delete(task);
  }
}
