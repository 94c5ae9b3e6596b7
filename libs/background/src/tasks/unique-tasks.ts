import { AbortWatch, createPriorityChannel, type Abortable, type Clock } from 'nestjs-nightshift/channels';
import type { LocalTask } from './local-task.js';

/** Whose a key is. */
interface KeyHolder {
  readonly key: string;
  readonly task: LocalTask;
  /** Until when the key is the task's even if that has ended, by `monotonic()`; `undefined`: until it has ended. */
  readonly until: number | undefined;
}

/** The tasks of a queue that nobody may enqueue once more, by their `deduplicationKey`. */
export class UniqueTasks {
  private readonly byKey = new Map<string, KeyHolder>();
  /** Those whose producer waits for space: they are not in the queue yet, and perhaps never will be. */
  private readonly entering = new Map<LocalTask, Promise<LocalTask>>();
  /** Whose key a task has taken over that has not been accepted yet. */
  private readonly replaced = new Map<LocalTask, KeyHolder>();
  /** Ended ones that still hold their key, by when that is over. They go when another key is taken. */
  private readonly lingering = createPriorityChannel<KeyHolder>({ compare: (a, b) => a.until! - b.until! });

  constructor(private readonly clock: Clock) {}

  /** The task that a key belongs to. */
  find(key: string): LocalTask | undefined {
    const holder = this.byKey.get(key);
    return holder !== undefined && this.isHeld(holder) ? holder.task : undefined;
  }

  /** When a task enters the queue, if it has not yet. */
  entryOf(task: LocalTask): Promise<LocalTask> | undefined {
    return this.entering.get(task);
  }

  /**
   * Gives a key to a task.
   *
   * @param replacing whether the one that has it is to give way when the new one is accepted
   */
  add(task: LocalTask, replacing: boolean): void {
    const { key, windowMs } = task.options.deduplication!;
    this.forgetLingering();
    const before = this.byKey.get(key);
    if (replacing && before !== undefined) this.replaced.set(task, before);
    const ageMs = this.clock.now() - task.enqueuedAt.getTime(); // when it is run once more
    const until = windowMs === undefined ? undefined : this.clock.monotonic() + windowMs - ageMs;
    this.byKey.set(key, { key, task, until });
  }

  /** The producer of a task waits for space; `entry` settles when that is over. */
  noteEntering(task: LocalTask, entry: Promise<LocalTask>): void {
    this.entering.set(task, entry);
    const forget = (): void => void this.entering.delete(task);
    entry.then(forget, forget);
  }

  /** Which task is to give way to one, as long as that is not accepted. */
  replacedBy(task: LocalTask): LocalTask | undefined {
    return this.replaced.get(task)?.task;
  }

  /** The task is accepted. @returns the one that is to give way to it */
  accepted(task: LocalTask): LocalTask | undefined {
    const replaced = this.replacedBy(task);
    this.replaced.delete(task);
    return replaced;
  }

  /** The task has left the queue, or has not come in: then the key goes back to the one that it came from. */
  delete(task: LocalTask): void {
    const { key } = task.options.deduplication!;
    const before = this.replaced.get(task);
    this.replaced.delete(task);
    const holder = this.byKey.get(key);
    if (holder?.task !== task) return; // one after it has the key
    if (before !== undefined && this.isHeld(before)) this.byKey.set(key, before);
    else if (task.isAnnounced && this.isHeld(holder)) this.lingering.writer.tryWrite(holder);
    else this.byKey.delete(key);
  }

  private isHeld({ task, until }: KeyHolder): boolean {
    return !task.isSettled || (until !== undefined && until > this.clock.monotonic());
  }

  private forgetLingering(): void {
    const { reader } = this.lingering;
    for (let holder = reader.tryPeek(); holder !== undefined; holder = reader.tryPeek()) {
      if (this.isHeld(holder)) return;
      reader.tryRead();
      if (this.byKey.get(holder.key) === holder) this.byKey.delete(holder.key);
    }
  }
}

/** What follows when another producer has waited for space. */
interface AfterEntry {
  /** It got in. */
  entered(task: LocalTask): LocalTask | Promise<LocalTask>;
  /** It gave up. */
  otherwise(): Promise<LocalTask>;
}

/** Waits for what another producer waits for. Rejects with the signal's reason when it is aborted first. */
export function waitAlong(
  entry: Promise<LocalTask>,
  signal: AbortSignal | undefined,
  { entered, otherwise }: AfterEntry,
): Promise<LocalTask> {
  return new Promise((resolve, reject) => {
    const watch = signal && AbortWatch.over(signal);
    const leaving: Abortable = { abort: reject };
    watch?.add(leaving);
    const stay = (next: () => LocalTask | Promise<LocalTask>): void => {
      watch?.delete(leaving);
      if (signal?.aborted === true) return;
      try {
        resolve(next());
      } catch (error) {
        reject(error);
      }
    };
    entry.then(
      (task) => stay(() => entered(task)),
      () => stay(otherwise),
    );
  });
}
