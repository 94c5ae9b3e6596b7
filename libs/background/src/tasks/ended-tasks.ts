import type { Clock } from 'nestjs-nightshift/channels';
import type { LocalTask } from './local-task.js';
import { endStates, memoryRetention, type EndState, type ResolvedRetention } from './retention.js';

/**
 * The tasks of a queue in memory that have ended and can still be looked at. What is too old or too many goes when one
 * is added or somebody looks: there is no timer.
 */
export class EndedTasks implements Iterable<LocalTask> {
  /** Each in the order in which its tasks have ended. */
  private readonly byState: Readonly<Record<EndState, Set<LocalTask>>> = {
    completed: new Set(),
    dead: new Set(),
    discarded: new Set(),
    cancelled: new Set(),
    expired: new Set(),
  };

  constructor(
    private readonly retention: ResolvedRetention,
    private readonly clock: Clock,
  ) {}

  /** Keeps a task that has ended; one that there is no room for forgets what it was. */
  add(task: LocalTask): void {
    const now = this.clock.now();
    task.ownStory.endedAtMs ??= now;
    const state = task.currentState as EndState;
    this.byState[state].add(task);
    this.prune(state, now);
  }

  count(state: EndState): number {
    this.prune(state, this.clock.now());
    return this.byState[state].size;
  }

  *[Symbol.iterator](): Iterator<LocalTask> {
    const now = this.clock.now();
    for (const state of endStates) {
      this.prune(state, now);
      yield* this.byState[state];
    }
  }

  /** Takes out a task that is to run once more. */
  take(task: LocalTask): void {
    this.byState[task.currentState as EndState].delete(task);
  }

  /** Forgets a task. */
  remove(task: LocalTask): void {
    this.take(task);
    task.forget();
  }

  private prune(state: EndState, now: number): void {
    const tasks = this.byState[state];
    const { ageMs, count } = this.retention[state];
    const most = Math.min(count, memoryRetention);
    for (const task of tasks) {
      if (tasks.size <= most && now - task.ownStory.endedAtMs! < ageMs) return;
      this.remove(task);
    }
  }
}
