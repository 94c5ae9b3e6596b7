import type { ErrorRecord, Heartbeat, Look, RecoveryResult, WorkerId } from 'nestjs-nightshift';
import type { ConcurrencyKeys } from './concurrency-keys.js';
import { endReasons } from './end-reasons.js';
import type { Database } from './database.js';
import type { Occurrences } from './occurrences.js';
import type { StateCounts } from './task-counts.js';
import { toId, type TaskKey } from './task-id.js';
import type { TaskSettlement } from './task-settlement.js';

interface HeldRow extends TaskKey {
  readonly queue: string;
  readonly name: string;
  readonly attempt: number;
  readonly interruptions: number;
  readonly started_at: number;
  readonly concurrency_key: string | null;
  readonly cancellation: string | null;
}

/** The processes that run tasks of this file: who is alive, and what the dead have left. */
export class Workers {
  constructor(
    private readonly database: Database,
    private readonly counts: StateCounts,
    private readonly keys: ConcurrencyKeys,
    private readonly settlement: TaskSettlement,
    private readonly occurrences: Occurrences,
  ) {}

  register(process: string, nowMs: number): WorkerId {
    const { lastInsertRowid } = this.database
      .sql('INSERT INTO nightshift_workers (beat, process, since) VALUES (0, ?, ?)')
      .run(process, nowMs);
    return Number(lastInsertRowid);
  }

  beat(worker: WorkerId): Heartbeat {
    const { changes } = this.database
      .sql('UPDATE nightshift_workers SET beat = beat + 1 WHERE id = ?')
      .run(worker);
    this.keys.releaseAll();
    return {
      isKnown: Number(changes) === 1,
      workers: this.database
        .sql('SELECT id AS worker, beat, process FROM nightshift_workers')
        .all() as Heartbeat['workers'],
      pausedQueues: this.pausedQueues(),
      cancellations: this.cancellations(worker),
    };
  }

  look(worker: WorkerId | undefined, version: number | undefined): Look | undefined {
    const { data_version: current } = this.database.sql('PRAGMA data_version').get() as {
      data_version: number;
    };
    if (current === version) return undefined;
    const cancellations = worker === undefined ? [] : this.cancellations(worker);
    const { releases } = this.occurrences;
    return { version: current, releases, pausedQueues: this.pausedQueues(), cancellations };
  }

  private pausedQueues(): string[] {
    const rows = this.database.sql('SELECT name FROM nightshift_queues WHERE paused = 1').all() as {
      name: string;
    }[];
    return rows.map(({ name }) => name);
  }

  /** Those of its running tasks that somebody wants cancelled. */
  private cancellations(worker: WorkerId): Heartbeat['cancellations'] {
    return this.queues().flatMap((queue) => {
      const rows = this.database
        .sql(
          `SELECT seq, nonce, cancellation FROM nightshift_tasks
           WHERE queue = ? AND state = 'active' AND worker = ? AND cancellation IS NOT NULL`,
        )
        .all(queue, worker) as (TaskKey & { readonly cancellation: string })[];
      return rows.map((row) => ({
        queue,
        id: toId(row),
        error: JSON.parse(row.cancellation) as ErrorRecord,
      }));
    });
  }

  recover(workers: readonly WorkerId[], nowMs: number, maxInterruptions: number): RecoveryResult {
    const tasks: RecoveryResult['tasks'][number][] = [];
    let occurrences = 0;
    for (const worker of workers) {
      for (const row of this.heldBy(worker)) tasks.push(this.giveBack(row, nowMs, maxInterruptions));
      occurrences += this.occurrences.releaseAllOf(worker);
      this.database.sql('DELETE FROM nightshift_workers WHERE id = ?').run(worker);
    }
    return { tasks, occurrences };
  }

  private giveBack(row: HeldRow, nowMs: number, maxInterruptions: number): RecoveryResult['tasks'][number] {
    const { seq, queue, name, attempt, interruptions, started_at: startedAtMs } = row;
    const id = toId(row);
    this.settlement.addAttempt(seq, {
      attempt,
      outcome: 'interrupted',
      startedAtMs,
      endedAtMs: nowMs,
      error: undefined,
    });
    const isDead = interruptions >= maxInterruptions;
    const end = isDead
      ? { state: 'dead' as const, error: endReasons.interrupted(interruptions + 1) }
      : row.cancellation !== null
        ? { state: 'cancelled' as const, error: row.cancellation }
        : undefined;
    if (end === undefined) {
      this.database.sql(backInLine).run(seq);
      this.counts.move(queue, 'active', 'waiting');
    } else {
      this.database.sql(ended).run(end.state, end.error, nowMs, nowMs, seq);
      this.counts.move(queue, 'active', end.state);
    }
    if (row.concurrency_key !== null) this.keys.release(queue, row.concurrency_key);
    return { queue, id, name, isDead };
  }

  private heldBy(worker: WorkerId): HeldRow[] {
    return this.queues().flatMap(
      (queue) =>
        this.database
          .sql(
            `SELECT seq, nonce, queue, name, attempt, interruptions, started_at, concurrency_key, cancellation
             FROM nightshift_tasks WHERE queue = ? AND state = 'active' AND worker = ?`,
          )
          .all(queue, worker) as HeldRow[],
    );
  }

  /** Every queue that has ever held a task: there is no index by worker, and few tasks are active. */
  private queues(): string[] {
    const rows = this.database.sql('SELECT DISTINCT queue FROM nightshift_counts').all() as {
      queue: string;
    }[];
    return rows.map(({ queue }) => queue);
  }
}

const backInLine = `
  UPDATE nightshift_tasks SET state = 'waiting', worker = NULL, interruptions = interruptions + 1 WHERE seq = ?`;
const ended = `
  UPDATE nightshift_tasks SET state = ?, error = ?, worker = NULL, cancellation = NULL, interruptions = interruptions + 1,
    ended_at = ?, dedup_key = CASE WHEN dedup_until > ? THEN dedup_key END
  WHERE seq = ?`;
