import type { ErrorRecord, Settlement, StoredAttempt, TaskNotes } from 'nestjs-nightshift';
import type { ConcurrencyKeys } from './concurrency-keys.js';
import type { Database } from './database.js';
import type { StateCounts } from './task-counts.js';
import { seqOf } from './task-id.js';

/** How many lines of a task's log are kept. */
const linesKept = 100;
/** How many attempts of a task are kept. */
const attemptsKept = 50;

/** Writes down what became of attempts, and what running tasks say: under the current claim, and no other. */
export class TaskSettlement {
  constructor(
    private readonly database: Database,
    private readonly counts: StateCounts,
    private readonly keys: ConcurrencyKeys,
  ) {}

  settle(settlement: Settlement): boolean {
    const seq = seqOf(settlement.id);
    if (!this.changeState(seq, settlement)) return false;
    const { queue, state, attempt, concurrencyKey, isKept } = settlement;
    if (attempt !== undefined) this.addAttempt(seq, attempt);
    if (isKept) this.counts.move(queue, 'active', state);
    else this.counts.add(queue, 'active', -1);
    if (concurrencyKey !== undefined) this.keys.release(queue, concurrencyKey);
    return true;
  }

  note({ id, claim, progress, lines }: TaskNotes): void {
    const seq = seqOf(id);
    const isCurrent = this.database
      .sql(`SELECT 1 FROM nightshift_tasks WHERE seq = ? AND claim = ?`)
      .get(seq, claim);
    if (isCurrent === undefined) return;
    if (progress !== undefined)
      this.database
        .sql('UPDATE nightshift_tasks SET progress = ? WHERE seq = ?')
        .run(JSON.stringify(progress), seq);
    for (const { atMs, message } of lines)
      this.database.sql('INSERT INTO nightshift_log VALUES (?, ?, ?)').run(seq, atMs, message);
    if (lines.length > 0)
      this.database
        .sql(
          `DELETE FROM nightshift_log WHERE task = ? AND rowid NOT IN
             (SELECT rowid FROM nightshift_log WHERE task = ? ORDER BY rowid DESC LIMIT ${linesKept})`,
        )
        .run(seq, seq);
  }

  addAttempt(seq: number, { attempt, outcome, startedAtMs, endedAtMs, error }: StoredAttempt): void {
    this.database
      .sql('INSERT INTO nightshift_attempts VALUES (?, ?, ?, ?, ?, ?)')
      .run(seq, attempt, outcome, startedAtMs, endedAtMs, toText(error));
    this.database
      .sql(
        `DELETE FROM nightshift_attempts WHERE task = ? AND rowid NOT IN
           (SELECT rowid FROM nightshift_attempts WHERE task = ? ORDER BY rowid DESC LIMIT ${attemptsKept})`,
      )
      .run(seq, seq);
  }

  private changeState(seq: number, settlement: Settlement): boolean {
    const { claim, state, atMs, result, error, dueAtMs, nextAttempt, isKept } = settlement;
    if (!isKept) {
      const { changes } = this.database.sql(forget).run(seq, claim);
      if (Number(changes) === 1) forgetDetails(this.database, seq);
      return Number(changes) === 1;
    }
    const { changes } =
      state === 'completed'
        ? this.database.sql(complete).run(atMs, result ?? null, toText(error), atMs, seq, claim)
        : state === 'retrying'
          ? this.database.sql(postpone).run(dueAtMs!, nextAttempt!, toText(error), seq, claim)
          : state === 'waiting'
            ? this.database.sql(giveBack).run(seq, claim)
            : this.database.sql(end).run(state, atMs, toText(error), atMs, seq, claim);
    return Number(changes) === 1;
  }
}

/** What other tables hold of a task that goes. */
export function forgetDetails(database: Database, seq: number): void {
  database.sql('DELETE FROM nightshift_attempts WHERE task = ?').run(seq);
  database.sql('DELETE FROM nightshift_log WHERE task = ?').run(seq);
}

const underClaim = `WHERE seq = ? AND claim = ? AND state = 'active'`;
const freeKey = `dedup_key = CASE WHEN dedup_until > ? THEN dedup_key END`;
const complete = `
  UPDATE nightshift_tasks SET state = 'completed', worker = NULL, cancellation = NULL, ended_at = ?, result = ?,
    error = ?, ${freeKey} ${underClaim}`;
const end = `
  UPDATE nightshift_tasks SET state = ?, worker = NULL, cancellation = NULL, ended_at = ?, error = ?, ${freeKey}
  ${underClaim}`;
const postpone = `
  UPDATE nightshift_tasks SET state = 'retrying', worker = NULL, due_at = ?, attempt = ?, error = ? ${underClaim}`;
/** A cancellation that was asked for meanwhile stays: whoever claims the task next is told. */
const giveBack = `UPDATE nightshift_tasks SET state = 'waiting', worker = NULL ${underClaim}`;
const forget = `DELETE FROM nightshift_tasks ${underClaim}`;

function toText(error: ErrorRecord | undefined): string | null {
  return error === undefined ? null : JSON.stringify(error);
}
