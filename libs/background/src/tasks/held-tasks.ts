import type { Clock } from 'nestjs-nightshift/channels';
import type { LocalTask } from './local-task.js';
import { Timetable, type TimetableEntry } from './timetable.js';

/** Why a task is held: it has never begun, or its next attempt is to come. */
export type HeldState = 'scheduled' | 'retrying';

/** The tasks of a queue whose time has not come. */
export class HeldTasks implements Iterable<LocalTask> {
  private readonly timetable: Timetable;
  private readonly entries = new Map<
    LocalTask,
    { readonly entry: TimetableEntry; readonly state: HeldState }
  >();
  private retryingCount = 0;

  /**
   * @param onDue takes a task whose time has come; it must not throw
   * @param onAllDue called when it has been given all that are due at one time
   */
  constructor(
    clock: Clock,
    private readonly onDue: (task: LocalTask, state: HeldState) => void,
    onAllDue: () => void,
  ) {
    this.timetable = new Timetable(clock, onAllDue);
  }

  get size(): number {
    return this.entries.size;
  }

  get retrying(): number {
    return this.retryingCount;
  }

  /** When the next one is due, as the clock's `monotonic()` will show it; `undefined` when there is none. */
  get nextAt(): number | undefined {
    return this.timetable.nextAt;
  }

  /** When a task is due, as the clock's `monotonic()` will show it; `undefined` when it is not held. */
  dueAt(task: LocalTask): number | undefined {
    return this.entries.get(task)?.entry.dueAt;
  }

  [Symbol.iterator](): Iterator<LocalTask> {
    return this.entries.keys();
  }

  /** Adds a task that is scheduled or to be retried. */
  add(task: LocalTask, delayMs: number): void {
    const state = task.isRetrying ? 'retrying' : 'scheduled';
    if (state === 'retrying') this.retryingCount += 1;
    const entry = this.timetable.add(delayMs, () => {
      this.delete(task);
      this.onDue(task, state);
    });
    this.entries.set(task, { entry, state });
  }

  /** @returns as what it was held; `undefined` when it was not */
  delete(task: LocalTask): HeldState | undefined {
    const held = this.entries.get(task);
    if (held === undefined) return undefined;
    this.entries.delete(task);
    held.entry.cancel();
    if (held.state === 'retrying') this.retryingCount -= 1;
    return held.state;
  }

  takeAll(): Readonly<Record<HeldState, readonly LocalTask[]>> {
    const all = { scheduled: [] as LocalTask[], retrying: [] as LocalTask[] };
    for (const [task, { state }] of this.entries) all[state].push(task);
    for (const task of [...all.scheduled, ...all.retrying]) this.delete(task);
    return all;
  }
}
