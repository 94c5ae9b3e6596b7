import type {
  CancelResult,
  DroppedTask,
  ErrorRecord,
  RetentionRule,
  ResolvedTaskFilter,
  TaskState,
} from 'nestjs-nightshift';
import { endStates } from './end-reasons.js';
import type { ConcurrencyKeys } from './concurrency-keys.js';
import type { Database } from './database.js';
import { rankOfDue } from './task-claims.js';
import type { StateCounts } from './task-counts.js';
import { toId, type TaskKey } from './task-id.js';
import { conditionOf } from './task-selection.js';
import { forgetDetails } from './task-settlement.js';

interface Row extends TaskKey {
  readonly name: string;
  readonly state: TaskState;
  readonly concurrency_key: string | null;
}

/** How many tasks one call removes at most, so that nobody waits long for it. */
const prunedAtOnce = 5_000;
const retriable: readonly TaskState[] = ['dead', 'discarded', 'cancelled', 'expired'];

/** What is done to tasks from outside: cancelled, run again, removed. */
export class TaskControl {
  constructor(
    private readonly database: Database,
    private readonly counts: StateCounts,
    private readonly keys: ConcurrencyKeys,
  ) {}

  cancel(queue: string, filter: ResolvedTaskFilter, error: ErrorRecord, nowMs: number): CancelResult {
    const cancelled: DroppedTask[] = [];
    const requested: DroppedTask[] = [];
    const text = JSON.stringify(error);
    for (const row of this.select(queue, filter, 'ended_at IS NULL')) {
      const { seq, state, name } = row;
      if (state === 'active') {
        this.database.sql('UPDATE nightshift_tasks SET cancellation = ? WHERE seq = ?').run(text, seq);
        requested.push({ id: toId(row), name });
        continue;
      }
      this.database
        .sql(
          `UPDATE nightshift_tasks SET state = 'cancelled', held = NULL, due_at = NULL, expires_at = NULL, ended_at = ?,
             error = ?, dedup_key = CASE WHEN dedup_until > ? THEN dedup_key END
           WHERE seq = ?`,
        )
        .run(nowMs, text, nowMs, seq);
      this.counts.move(queue, state, 'cancelled');
      if (row.concurrency_key !== null) this.keys.release(queue, row.concurrency_key);
      cancelled.push({ id: toId(row), name });
    }
    return { cancelled, requested };
  }

  /** They keep their history, and are in line before all that has not begun. */
  retry(queue: string, filter: ResolvedTaskFilter, nowMs: number): readonly DroppedTask[] {
    const rows = this.select(queue, filter, `state IN (${quote(retriable)})`);
    for (const { seq, state } of rows) {
      this.database
        .sql(
          `UPDATE nightshift_tasks SET state = 'waiting', attempt = 1, interruptions = 0, ended_at = NULL, due_at = NULL,
             cancellation = NULL, dedup_key = NULL, dedup_until = NULL, rank = ?
           WHERE seq = ?`,
        )
        .run(rankOfDue(nowMs), seq);
      this.counts.move(queue, state, 'waiting');
    }
    return rows.map((row) => ({ id: toId(row), name: row.name }));
  }

  remove(queue: string, filter: ResolvedTaskFilter): number {
    const rows = this.select(queue, filter, `state IN (${quote(endStates)})`);
    for (const { seq, state } of rows) this.delete(queue, seq, state);
    return rows.length;
  }

  prune({ queue, state, endedBeforeMs, count }: RetentionRule, nowMs: number): boolean {
    const excess = count === undefined ? 0 : this.counts.of(queue, state) - count;
    const beyond = excess > 0 ? this.first(queue, state, Math.min(excess, prunedAtOnce), nowMs) : [];
    // Those that ended first were enqueued first, by and large: where one is too young, so are the ones after it.
    const aged = endedBeforeMs === undefined ? [] : this.firstAged(queue, state, endedBeforeMs, nowMs);
    const seqs = beyond.length > aged.length ? beyond : aged;
    if (seqs.length === 0) return false;
    const list = JSON.stringify(seqs);
    for (const [table, column] of tablesOfTasks)
      this.database.sql(`DELETE FROM ${table} WHERE ${column} IN (SELECT value FROM json_each(?))`).run(list);
    this.counts.add(queue, state, -seqs.length);
    return seqs.length === prunedAtOnce;
  }

  /** The first of a state, as far as their keys are not taken for longer. */
  private first(queue: string, state: TaskState, limit: number, nowMs: number): number[] {
    return this.firstRows(queue, state, limit, nowMs).map(({ seq }) => seq);
  }

  private firstAged(queue: string, state: TaskState, endedBeforeMs: number, nowMs: number): number[] {
    const isOld = ({ ended_at: endedAt }: { ended_at: number }): boolean => endedAt < endedBeforeMs;
    const [first] = this.firstRows(queue, state, 1, nowMs);
    if (first === undefined || !isOld(first)) return [];
    const rows = this.firstRows(queue, state, prunedAtOnce, nowMs);
    const young = rows.findIndex((row) => !isOld(row));
    return rows.slice(0, young === -1 ? rows.length : young).map(({ seq }) => seq);
  }

  private firstRows(
    queue: string,
    state: TaskState,
    limit: number,
    nowMs: number,
  ): { seq: number; ended_at: number }[] {
    return this.database
      .sql(
        `SELECT seq, ended_at FROM nightshift_tasks
         WHERE queue = ? AND state = ? AND (dedup_key IS NULL OR dedup_until <= ?) ORDER BY seq LIMIT ?`,
      )
      .all(queue, state, nowMs, limit) as { seq: number; ended_at: number }[];
  }

  private delete(queue: string, seq: number, state: TaskState): void {
    this.database.sql('DELETE FROM nightshift_tasks WHERE seq = ?').run(seq);
    forgetDetails(this.database, seq);
    this.counts.add(queue, state, -1);
  }

  private select(queue: string, filter: ResolvedTaskFilter, also: string): Row[] {
    const { text, values } = conditionOf(queue, filter);
    return this.database.connection
      .prepare(
        `SELECT seq, nonce, name, state, concurrency_key FROM nightshift_tasks WHERE ${text} AND ${also}`,
      )
      .all(...values) as Row[];
  }
}

/** Where tasks are, and what belongs to them. */
const tablesOfTasks = [
  ['nightshift_tasks', 'seq'],
  ['nightshift_attempts', 'task'],
  ['nightshift_log', 'task'],
] as const;

function quote(states: readonly string[]): string {
  return states.map((state) => `'${state}'`).join(', ');
}
