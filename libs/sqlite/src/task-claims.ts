import type { ClaimedTask, ClaimRequest, ClaimResult, TaskState, WorkerId } from 'nestjs-nightshift';
import type { Database } from './database.js';
import type { ConcurrencyKeys } from './concurrency-keys.js';
import { endReasons } from './end-reasons.js';
import { StartRates } from './start-rates.js';
import type { StateCounts } from './task-counts.js';
import { toId, type TaskKey } from './task-id.js';

/** A claim, with the number of places that there were when it was made. */
export interface PlacedClaim extends Omit<ClaimRequest, 'places'> {
  readonly places: number;
}

interface ReadyRow extends TaskKey {
  readonly name: string;
  readonly definition: string;
  readonly payload: string | null;
  readonly priority: number;
  readonly rank: number;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly claim: number;
  readonly options: string | null;
  readonly tags: string | null;
  readonly metadata: string | null;
  readonly enqueued_at: number;
  readonly concurrency_key: string | null;
  readonly concurrency_limit: number | null;
  readonly dedup_until: number | null;
}

/** Far enough before all that waits by its number: ranks below 0 order those that have fallen due, by when they did. */
const dueRankBase = 8_640_000_000_000_001;
/** How many tasks fall due or expire in one claim at most: the next one takes the rest. */
const sweptAtOnce = 1_000;

/** Takes the tasks that are next in line. */
export class TaskClaims {
  private readonly rates: StartRates;

  constructor(
    private readonly database: Database,
    private readonly counts: StateCounts,
    private readonly keys: ConcurrencyKeys,
  ) {
    this.rates = new StartRates(database);
  }

  claim(request: PlacedClaim): ClaimResult {
    const { queue, nowMs, rateLimit, worker } = request;
    this.promoteDue(queue, nowMs);
    const expired = this.expire(queue, nowMs);
    const parked: Record<string, number> = {};
    const takesNothing = this.isPaused(queue) || !this.isKnown(worker);
    const rate = rateLimit && this.rates.look(queue, rateLimit, nowMs);
    const places = takesNothing ? 0 : Math.min(request.places, rate?.allowed ?? Infinity);
    const tasks = places > 0 ? this.take(request, places, parked) : [];
    if (rateLimit !== undefined) this.rates.note(queue, tasks.length, nowMs);
    const isRateFull = rate !== undefined && tasks.length === rate.allowed;
    const nextAtMs = tasks.length === request.places && tasks.length > 0 ? undefined : this.nextAt(queue);
    const allowedAtMs = isRateFull ? this.rates.nextAt(queue, rateLimit!) : undefined;
    return {
      tasks,
      expired,
      parked,
      nextAtMs: earliest(nextAtMs, allowedAtMs),
      mayHaveMore: tasks.length === request.places,
    };
  }

  /** What waits for want of a handler is in line again. Gives the definitions of what goes on waiting. */
  unpark(queue: string, definitions: readonly string[]): readonly string[] {
    for (const definition of definitions) {
      this.database
        .sql(
          `UPDATE nightshift_tasks SET held = NULL WHERE queue = ? AND held = 'noHandler' AND definition = ?`,
        )
        .run(queue, definition);
    }
    const parked = this.database
      .sql(`SELECT DISTINCT definition FROM nightshift_tasks WHERE queue = ? AND held = 'noHandler'`)
      .all(queue) as { definition: string }[];
    return parked.map(({ definition }) => definition);
  }

  private take(
    { queue, worker, nowMs, definitions }: PlacedClaim,
    places: number,
    parked: Record<string, number>,
  ): ClaimedTask[] {
    const taken: ClaimedTask[] = [];
    while (taken.length < places) {
      const wanted = places - taken.length;
      const rows = this.nextInLine(queue, definitions, wanted);
      for (const row of rows) {
        if (!definitions.includes(row.definition)) {
          this.hold(row, 'noHandler');
          parked[row.definition] = (parked[row.definition] ?? 0) + 1;
        } else if (
          row.concurrency_key !== null &&
          !this.keys.hasRoom(queue, row.concurrency_key, row.concurrency_limit!)
        ) {
          this.hold(row, 'concurrencyKey');
        } else {
          this.database.sql(activate).run(worker, nowMs, row.seq);
          this.counts.move(queue, 'waiting', 'active');
          taken.push(toClaimed(row));
        }
      }
      if (rows.length < wanted) break;
    }
    return taken;
  }

  /** Those that are ready, and among them such as were parked by processes that have no handler for them. */
  private nextInLine(queue: string, definitions: readonly string[], wanted: number): readonly ReadyRow[] {
    const ready = this.database.sql(selectReady).all(queue, wanted) as ReadyRow[];
    if (this.database.sql(anyParked).get(queue) === undefined) return ready;
    const parked = definitions.flatMap(
      (definition) => this.database.sql(selectParked).all(queue, definition, wanted) as ReadyRow[],
    );
    return parked.length === 0 ? ready : [...ready, ...parked].toSorted(byPlace).slice(0, wanted);
  }

  private hold({ seq }: TaskKey, reason: string): void {
    this.database.sql('UPDATE nightshift_tasks SET held = ? WHERE seq = ?').run(reason, seq);
  }

  private promoteDue(queue: string, nowMs: number): void {
    const due = this.database
      .sql(
        'SELECT seq, state, due_at FROM nightshift_tasks WHERE queue = ? AND due_at <= ? ORDER BY due_at LIMIT ?',
      )
      .all(queue, nowMs, sweptAtOnce) as { seq: number; state: TaskState; due_at: number }[];
    for (const { seq, state, due_at: dueAt } of due) {
      this.database
        .sql(`UPDATE nightshift_tasks SET state = 'waiting', due_at = NULL, rank = ? WHERE seq = ?`)
        .run(rankOfDue(dueAt), seq);
      this.counts.move(queue, state, 'waiting');
    }
  }

  private expire(queue: string, nowMs: number): ClaimResult['expired'][number][] {
    const rows = this.database
      .sql(
        `SELECT seq, nonce, name, state, enqueued_at, expires_at, concurrency_key FROM nightshift_tasks
         WHERE queue = ? AND expires_at <= ? AND ended_at IS NULL LIMIT ?`,
      )
      .all(queue, nowMs, sweptAtOnce) as (TaskKey & {
      readonly name: string;
      readonly state: TaskState;
      readonly concurrency_key: string | null;
      readonly enqueued_at: number;
      readonly expires_at: number;
    })[];
    return rows.map((row) => {
      this.database
        .sql(
          `UPDATE nightshift_tasks SET state = 'expired', held = NULL, due_at = NULL, ended_at = ?,
             error = ?, dedup_key = CASE WHEN dedup_until > ? THEN dedup_key END
           WHERE seq = ?`,
        )
        .run(nowMs, endReasons.expired(), nowMs, row.seq);
      this.counts.move(queue, row.state, 'expired');
      if (row.concurrency_key !== null) this.keys.release(queue, row.concurrency_key);
      return { id: toId(row), name: row.name, expiresInMs: row.expires_at - row.enqueued_at };
    });
  }

  /** What a worker took that others have declared dead would be nobody's: they have given back all it had already. */
  private isKnown(worker: WorkerId): boolean {
    return this.database.sql('SELECT 1 FROM nightshift_workers WHERE id = ?').get(worker) !== undefined;
  }

  private isPaused(queue: string): boolean {
    const row = this.database.sql('SELECT paused FROM nightshift_queues WHERE name = ?').get(queue) as
      { paused: number } | undefined;
    return row?.paused === 1;
  }

  private nextAt(queue: string): number | undefined {
    const at = (column: string): number | undefined =>
      (
        this.database
          .sql(
            `SELECT min(${column}) AS at FROM nightshift_tasks WHERE queue = ? AND ${column} IS NOT NULL AND ended_at IS NULL`,
          )
          .get(queue) as { at: number | null }
      ).at ?? undefined;
    return earliest(at('due_at'), at('expires_at'));
  }
}

/** Before all that has not fallen due, and among those that have by when they did. */
export function rankOfDue(dueAtMs: number): number {
  return Math.round(dueAtMs) - dueRankBase;
}

function byPlace(a: ReadyRow, b: ReadyRow): number {
  return a.priority - b.priority || a.rank - b.rank || a.seq - b.seq;
}

const columns = `seq, nonce, name, definition, payload, priority, rank, attempt, max_attempts, claim, options, tags, metadata,
    enqueued_at, concurrency_key, concurrency_limit, dedup_until`;

const selectReady = `
  SELECT ${columns} FROM nightshift_tasks WHERE queue = ? AND state = 'waiting' AND held IS NULL
  ORDER BY priority, rank, seq LIMIT ?`;

const anyParked = `SELECT 1 FROM nightshift_tasks WHERE queue = ? AND held = 'noHandler' LIMIT 1`;
const selectParked = `
  SELECT ${columns} FROM nightshift_tasks WHERE queue = ? AND held = 'noHandler' AND definition = ?
  ORDER BY priority, rank, seq LIMIT ?`;

const activate = `
  UPDATE nightshift_tasks SET state = 'active', claim = claim + 1, worker = ?, started_at = ?, expires_at = NULL,
    held = NULL
  WHERE seq = ?`;

function toClaimed(row: ReadyRow): ClaimedTask {
  return {
    id: toId(row),
    claim: row.claim + 1,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    name: row.name,
    definition: row.definition,
    payload: row.payload ?? undefined,
    priority: row.priority,
    enqueuedAtMs: row.enqueued_at,
    expiresAtMs: undefined,
    concurrencyKey: row.concurrency_key ?? undefined,
    options: row.options ?? undefined,
    tags: row.tags === null ? [] : (JSON.parse(row.tags) as string[]),
    metadata: row.metadata ?? undefined,
    keyUntilMs: row.dedup_until ?? undefined,
  };
}

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}
