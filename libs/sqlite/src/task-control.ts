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

  prune({ queue, state, endedBeforeMs, count }: RetentionRule, nowMs: number): number {
    const excess = count === undefined ? 0 : Math.max(0, this.counts.of(queue, state) - count);
    if (excess === 0 && !this.hasOld(queue, state, endedBeforeMs)) return 0;
    const rows = this.database
      .sql(
        `SELECT seq, ended_at FROM nightshift_tasks
         WHERE queue = ? AND state = ? AND (dedup_key IS NULL OR dedup_until <= ?) ORDER BY seq LIMIT ?`,
      )
      .all(queue, state, nowMs, prunedAtOnce) as { seq: number; ended_at: number }[];
    let pruned = 0;
    for (const [index, { seq, ended_at: endedAt }] of rows.entries()) {
      if (index >= excess && !(endedAt < (endedBeforeMs ?? Number.NEGATIVE_INFINITY))) continue;
      this.delete(queue, seq, state);
      pruned += 1;
    }
    return pruned;
  }

  /** Whether the first of its state has been kept for long enough: the others have hardly ended before it. */
  private hasOld(queue: string, state: TaskState, endedBeforeMs: number | undefined): boolean {
    if (endedBeforeMs === undefined) return false;
    const first = this.database
      .sql('SELECT ended_at FROM nightshift_tasks WHERE queue = ? AND state = ? ORDER BY seq LIMIT 1')
      .get(queue, state) as { ended_at: number } | undefined;
    return first !== undefined && first.ended_at < endedBeforeMs;
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

function quote(states: readonly string[]): string {
  return states.map((state) => `'${state}'`).join(', ');
}
