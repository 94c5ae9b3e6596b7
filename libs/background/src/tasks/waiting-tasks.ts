import { ConcurrencyKeys } from './concurrency-keys.js';
import type { LocalTask } from './local-task.js';
import { ProducerLine } from './producer-line.js';
import type { FullMode } from './queue.options.js';
import { TaskLanes } from './task-lanes.js';

/**
 * The tasks of a queue that wait: those in line, the most urgent first, and those that are held back because as many of
 * their `concurrencyKey` run as may. Of those that were enqueued to run at once there is room for `capacity`; those whose
 * time has come need none. Behind them stand the producers who wait for room. Any task can be taken out.
 */
export class WaitingTasks implements Iterable<LocalTask> {
  private readonly line = new TaskLanes();
  private readonly keys = new ConcurrencyKeys();
  private readonly producers = new ProducerLine();
  private readonly capacity: number;
  private readonly fullMode: FullMode;
  private dueCount = 0;

  constructor(
    { capacity, fullMode }: { readonly capacity: number; readonly fullMode: FullMode },
    private readonly onDropped: (task: LocalTask) => void,
  ) {
    this.capacity = capacity;
    this.fullMode = fullMode;
  }

  get size(): number {
    return this.line.size + this.keys.size;
  }

  /** How many of them are held back. */
  get heldBack(): number {
    return this.keys.size;
  }

  /** Whether nothing waits, nor wants to. */
  get isEmpty(): boolean {
    return this.size === 0 && this.producers.isEmpty;
  }

  /** Whether a task that comes now may begin before all that waits. */
  canPass({ options: { concurrency } }: LocalTask): boolean {
    return this.line.size === 0 && (concurrency === undefined || this.keys.hasRoomFor(concurrency));
  }

  /** Adds a task, or drops one in the modes that do; `false` when it is full, and in the mode `'wait'`. */
  tryAdd(task: LocalTask): boolean {
    if (this.hasRoom) this.line.append(task, false);
    else if (this.fullMode === 'wait') return false;
    else this.dropFor(task);
    return true;
  }

  /** Adds a task as soon as there is room. Rejects with the reason of whichever signal is aborted first. */
  add(task: LocalTask, signals: readonly (AbortSignal | undefined)[]): Promise<void> {
    return this.producers.wait(task, signals);
  }

  /** Adds a task whose time has come, whatever the capacity. */
  addDue(task: LocalTask): void {
    this.dueCount += 1;
    task.ownStory.turn = this.dueCount;
    this.line.append(task, true);
  }

  /** Adds a task in the place of another one. @returns whether that had one to give away */
  replace(old: LocalTask, task: LocalTask): boolean {
    if (old.chain === undefined || old.chain.isDue) return false;
    this.takeOut(old);
    this.line.append(task, false);
    const { concurrency } = old.options;
    if (concurrency !== undefined) this.letNextIn(concurrency.key);
    return true;
  }

  /** Takes out the first one that may begin. It counts as running for its key until {@link end}. */
  take(): LocalTask | undefined {
    for (let task = this.line.first; task !== undefined; task = this.line.first) {
      const { isDue } = task.chain!;
      this.line.remove(task);
      if (this.begin(task)) {
        this.admit();
        return task;
      }
      this.keys.holdBack(task, isDue);
    }
    return this.capacity === 0 ? this.takeFromProducer() : undefined;
  }

  /** A task that may, see {@link canPass}, begins at once. */
  begin({ options: { concurrency } }: LocalTask): boolean {
    if (concurrency === undefined) return true;
    if (!this.keys.hasRoomFor(concurrency)) return false;
    this.keys.begin(concurrency);
    return true;
  }

  /** A task that was taken out runs no more, or never did. */
  end({ options: { concurrency } }: LocalTask): void {
    if (concurrency === undefined) return;
    this.keys.end(concurrency);
    this.letNextIn(concurrency.key);
  }

  /** Takes out a task that does not wait any more. */
  remove(task: LocalTask): void {
    this.takeOut(task);
    const { concurrency } = task.options;
    if (concurrency !== undefined) this.letNextIn(concurrency.key); // it may have been the one that was to begin
    this.admit();
  }

  /** Takes all out, whether they may begin or not. */
  takeAll(): LocalTask[] {
    const all = [...this];
    for (const task of all) this.takeOut(task);
    return all;
  }

  /** Refuses the producers who wait. */
  close(reason: unknown): void {
    this.producers.refuseAll(reason);
  }

  *[Symbol.iterator](): Iterator<LocalTask> {
    yield* this.line;
    yield* this.keys;
  }

  private get hasRoom(): boolean {
    return this.line.fresh + this.keys.fresh < this.capacity;
  }

  private takeOut(task: LocalTask): void {
    if (task.chain!.isHeldBack) this.keys.remove(task);
    else this.line.remove(task);
  }

  /** The first of a key that may begin now goes back in line. */
  private letNextIn(key: string): void {
    const next = this.keys.firstReady(key);
    if (next === undefined) return;
    const { isDue } = next.chain!;
    this.keys.remove(next);
    this.line.restore(next, isDue);
  }

  /** Lets producers in as far as there is room. */
  private admit(): void {
    while (!this.producers.isEmpty && this.hasRoom) {
      const [task] = this.producers.tasks;
      this.line.append(task!, false);
      this.producers.admit(task!);
    }
  }

  /** Without any room to wait in, a task goes from its producer straight to who runs it. */
  private takeFromProducer(): LocalTask | undefined {
    for (const task of this.producers.tasks) {
      if (!this.begin(task)) continue;
      this.producers.admit(task);
      return task;
    }
    return undefined;
  }

  private dropFor(task: LocalTask): void {
    const victim = this.fullMode === 'dropWrite' ? undefined : this.victim;
    if (victim === undefined) return this.onDropped(task);
    this.takeOut(victim);
    this.line.append(task, false);
    this.onDropped(victim);
  }

  private get victim(): LocalTask | undefined {
    const oldestFirst = this.fullMode === 'dropOldest';
    let found = oldestFirst ? this.line.oldest : this.line.newest;
    for (const lanes of this.keys.lanes()) {
      const other = oldestFirst ? lanes.oldest : lanes.newest;
      if (other === undefined) continue;
      if (found === undefined || other.turn < found.turn === oldestFirst) found = other;
    }
    return found;
  }
}
