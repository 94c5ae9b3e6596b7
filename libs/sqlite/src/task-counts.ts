import type { TaskCounts, TaskState } from 'nestjs-nightshift';
import type { Database } from './database.js';

/**
 * How many tasks of each queue are in each state, kept with every change: counting a million rows takes too long. What a
 * transaction changes is added up, and written before it is committed.
 */
export class StateCounts {
  private readonly changes = new Map<string, Map<TaskState, number>>();

  constructor(private readonly database: Database) {}

  add(queue: string, state: TaskState, tasks = 1): void {
    let ofQueue = this.changes.get(queue);
    if (ofQueue === undefined) {
      ofQueue = new Map();
      this.changes.set(queue, ofQueue);
    }
    ofQueue.set(state, (ofQueue.get(state) ?? 0) + tasks);
  }

  move(queue: string, from: TaskState, to: TaskState): void {
    this.add(queue, from, -1);
    this.add(queue, to);
  }

  /** As it is in this transaction. */
  of(queue: string, state: TaskState): number {
    const row = this.database
      .sql('SELECT tasks FROM nightshift_counts WHERE queue = ? AND state = ?')
      .get(queue, state) as { tasks: number } | undefined;
    return (row?.tasks ?? 0) + (this.changes.get(queue)?.get(state) ?? 0);
  }

  /** Writes what has changed: the last thing in a transaction. */
  write(): void {
    for (const [queue, ofQueue] of this.changes) {
      for (const [state, tasks] of ofQueue) {
        if (tasks === 0) continue;
        this.database
          .sql(
            `INSERT INTO nightshift_counts VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET tasks = tasks + excluded.tasks`,
          )
          .run(queue, state, tasks);
      }
    }
    this.changes.clear();
  }

  /** The transaction is rolled back. */
  forget(): void {
    this.changes.clear();
  }

  all(queue: string): TaskCounts {
    const counts = {
      scheduled: 0,
      waiting: 0,
      active: 0,
      retrying: 0,
      completed: 0,
      dead: 0,
      discarded: 0,
      cancelled: 0,
      expired: 0,
    };
    const rows = this.database
      .sql('SELECT state, tasks FROM nightshift_counts WHERE queue = ?')
      .all(queue) as { state: TaskState; tasks: number }[];
    for (const { state, tasks } of rows) counts[state] = tasks;
    const { heldBack } = this.database
      .sql('SELECT count(*) AS heldBack FROM nightshift_tasks WHERE queue = ? AND held IS NOT NULL')
      .get(queue) as { heldBack: number };
    return { ...counts, heldBack };
  }
}
