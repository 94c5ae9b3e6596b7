import type {
  CancelResult,
  DroppedTask,
  ErrorRecord,
  ResolvedTaskFilter,
  RetentionRule,
} from 'nestjs-nightshift';
import { untilNoClash } from './clash.js';
import type { Database } from './database.js';
import type { PostgresConnection } from './driver.js';
import { quoteName, quoteText, toPlainJson } from './names.js';
import { dueRankBase } from './schema/claims.js';
import { keyAfter } from './schema/settlement.js';
import { conditionOf, endStates } from './task-selection.js';
import { toId, type TaskKey } from './task-id.js';

interface Row {
  readonly seq: string;
  readonly nonce: string;
  readonly name: string;
}

interface CancelledRow extends Row {
  readonly was: string;
  readonly concurrency_key: string | null;
}

/** How many tasks one call removes at most, so that nobody waits long for it. */
const prunedAtOnce = 5_000;

/** What is done to tasks from outside: cancelled, run again, removed. */
export class TaskControl {
  private readonly s: string;

  constructor(private readonly database: Database) {
    this.s = quoteName(database.schema);
  }

  /** What runs is only marked; its worker is told. */
  cancel(
    queue: string,
    filter: ResolvedTaskFilter,
    error: ErrorRecord,
    nowMs: number,
  ): Promise<CancelResult> {
    const { text, values } = conditionOf(queue, filter);
    const now = `$${values.length + 1}::bigint`;
    const why = `$${values.length + 2}::text`;
    const end = `CASE WHEN was = 'active' THEN`;
    const attempt = (): Promise<CancelResult> =>
      this.database.transaction(async (connection) => {
        await connection.query(`SET LOCAL lock_timeout = '1s'`); // whoever claims waits for this
        await connection.query(`SELECT ${this.s}.take_keys_locks($1)`, [queue]);
        const { rows } = await connection.query(
          `WITH hit AS (
           SELECT seq AS hit, state AS was FROM ${this.s}.tasks WHERE ${text} AND ended_at IS NULL ORDER BY seq FOR UPDATE)
         UPDATE ${this.s}.tasks SET
           cancellation = ${end} ${why} END,
           state = ${end} state ELSE 'cancelled' END,
           held = NULL, due_at = NULL, expires_at = NULL,
           ended_at = ${end} NULL ELSE ${now} END,
           error = ${end} error ELSE ${why} END,
           dedup_key = ${end} dedup_key ELSE ${keyAfter(now)} END
         FROM hit WHERE seq = hit RETURNING seq, nonce, name, was, concurrency_key`,
          [...values, nowMs, toPlainJson(error)],
        );
        const found = rows as CancelledRow[];
        const cancelled = found.filter(({ was }) => was !== 'active');
        await this.releaseKeys(connection, queue, cancelled);
        return {
          cancelled: cancelled.map(toTask),
          requested: found.filter(({ was }) => was === 'active').map(toTask),
        };
      });
    return untilNoClash(attempt);
  }

  /** They keep their history, and are in line before all that has not begun. */
  async retry(queue: string, filter: ResolvedTaskFilter, nowMs: number): Promise<readonly DroppedTask[]> {
    const { text, values } = conditionOf(queue, filter);
    const rows = await this.database.query<Row>(
      `UPDATE ${this.s}.tasks SET state = 'waiting', attempt = 1, interruptions = 0, ended_at = NULL, due_at = NULL,
         expires_at = NULL, cancellation = NULL, dedup_key = NULL, dedup_until = NULL, rank = $${values.length + 1}::bigint
       WHERE ${text} AND ended_at IS NOT NULL AND state <> 'completed' RETURNING seq, nonce, name`,
      [...values, Math.round(nowMs) - dueRankBase],
    );
    return rows.map(toTask);
  }

  async remove(queue: string, filter: ResolvedTaskFilter): Promise<number> {
    const { text, values } = conditionOf(queue, filter);
    return this.delete(
      `${text} AND state IN (${endStates.map(quoteText).join(', ')}) AND ended_at IS NOT NULL`,
      values,
    );
  }

  async prune({ queue, state, endedBeforeMs, count }: RetentionRule, nowMs: number): Promise<boolean> {
    const tasks = `${this.s}.tasks WHERE queue = $1 AND state = $2 AND ended_at IS NOT NULL
      AND (dedup_key IS NULL OR dedup_until <= $3)`;
    const values = [queue, state, nowMs];
    // Asked every few seconds, and mostly there is nothing to do. Those that ended first were enqueued first, by and large.
    const [look] = await this.database.query<{ total: string; first_ended_at: string | null }>(
      `SELECT (SELECT coalesce(sum(tasks), 0) FROM ${this.s}.counts WHERE queue = $1 AND state = $2) AS total,
         (SELECT ended_at FROM ${tasks} ORDER BY seq LIMIT 1) AS first_ended_at`,
      values,
    );
    const excess = count === undefined ? 0 : Math.max(0, Number(look!.total) - count);
    const isAged = look!.first_ended_at !== null && Number(look!.first_ended_at) < (endedBeforeMs ?? 0);
    if (excess === 0 && !isAged) return false;
    const removed = await this.delete(
      `seq IN (SELECT seq FROM (
         SELECT seq, ended_at, row_number() OVER (ORDER BY seq) AS place FROM ${tasks}
         ORDER BY seq LIMIT ${prunedAtOnce}) first
       WHERE place <= $4 OR ended_at < $5)`,
      [...values, excess, endedBeforeMs ?? null],
    );
    return removed === prunedAtOnce;
  }

  private async delete(condition: string, values: readonly unknown[]): Promise<number> {
    const [row] = await this.database.query<{ removed: string }>(
      `WITH rows AS (DELETE FROM ${this.s}.tasks WHERE ${condition} RETURNING seq),
         lines AS (DELETE FROM ${this.s}.log USING rows WHERE log.task = rows.seq)
       SELECT count(*) AS removed FROM rows`,
      values,
    );
    return Number(row!.removed);
  }

  private async releaseKeys(
    connection: PostgresConnection,
    queue: string,
    rows: readonly CancelledRow[],
  ): Promise<void> {
    const keys = new Map<string, number>();
    for (const { concurrency_key: key } of rows) if (key !== null) keys.set(key, (keys.get(key) ?? 0) + 1);
    for (const [key, ended] of keys)
      await connection.query(`SELECT ${this.s}.release_key($1, $2, $3)`, [queue, key, ended]);
  }
}

function toTask({ seq, nonce, name }: Row): DroppedTask {
  return { id: toId({ seq: Number(seq), nonce } satisfies TaskKey), name };
}
