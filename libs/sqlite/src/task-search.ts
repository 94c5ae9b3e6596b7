import type {
  AttemptRecord,
  ErrorRecord,
  ResolvedTaskQuery,
  StoredPage,
  TaskDetails,
  TaskEnds,
  TaskRecord,
  TaskState,
} from 'nestjs-nightshift';
import type { Database } from './database.js';
import type { SqliteValue } from './driver.js';
import { parseId, toId, type TaskKey } from './task-id.js';
import { conditionOf } from './task-selection.js';

interface TaskRow extends TaskKey {
  readonly queue: string;
  readonly name: string;
  readonly definition: string;
  readonly payload: string | null;
  readonly state: TaskState;
  readonly held: TaskRecord['heldBack'] | null;
  readonly priority: number;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly claim: number;
  readonly tags: string | null;
  readonly metadata: string | null;
  readonly enqueued_at: number;
  readonly due_at: number | null;
  readonly expires_at: number | null;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly dedup_key: string | null;
  readonly concurrency_key: string | null;
  readonly progress: string | null;
  readonly result: string | null;
  readonly error: string | null;
}

/** Looks tasks up. Reads only, so it waits for nobody. */
export class TaskSearch {
  constructor(private readonly database: Database) {}

  search(queue: string, query: ResolvedTaskQuery): StoredPage {
    const { limit, order, after } = query;
    const condition = conditionOf(queue, query);
    const values: SqliteValue[] = [...condition.values];
    const isNewestFirst = order === 'newest';
    let text = condition.text;
    if (after !== undefined) {
      text += isNewestFirst ? ' AND seq < ?' : ' AND seq > ?';
      values.push(after);
    }
    const rows = this.database.connection
      .prepare(
        `SELECT ${columns} FROM nightshift_tasks WHERE ${text} ORDER BY seq ${isNewestFirst ? 'DESC' : 'ASC'} LIMIT ?`,
      )
      .all(...values, limit + 1) as TaskRow[];
    const page = rows.slice(0, limit);
    const next = rows.length > limit ? page.at(-1)!.seq : undefined;
    return { tasks: page.map(toRecord), next };
  }

  details(queue: string, id: string): TaskDetails | undefined {
    const key = parseId(id);
    if (key === undefined) return undefined;
    const row = this.database
      .sql(
        `SELECT ${columns}, payload, result FROM nightshift_tasks WHERE queue = ? AND seq = ? AND nonce = ?`,
      )
      .get(queue, key.seq, key.nonce) as TaskRow | undefined;
    if (row === undefined) return undefined;
    return {
      ...toRecord(row),
      payload: parse(row.payload),
      result: parse(row.result),
      attempts: this.attempts(key.seq),
      log: (
        this.database
          .sql('SELECT at, message FROM nightshift_log WHERE task = ? ORDER BY rowid')
          .all(key.seq) as { at: number; message: string }[]
      ).map(({ at, message }) => ({ at: new Date(at), message })),
    };
  }

  state(queue: string, id: string): TaskState | undefined {
    const key = parseId(id);
    if (key === undefined) return undefined;
    const row = this.database
      .sql('SELECT state FROM nightshift_tasks WHERE seq = ? AND nonce = ? AND queue = ?')
      .get(key.seq, key.nonce, queue) as { state: TaskState } | undefined;
    return row?.state;
  }

  ends(queue: string, ids: readonly string[]): TaskEnds {
    const condition = conditionOf(queue, { ids });
    const rows = this.database
      .sql(
        `SELECT seq, nonce, state, result, error, enqueued_at, expires_at, ended_at FROM nightshift_tasks WHERE ${condition.text}`,
      )
      .all(...condition.values) as TaskRow[];
    const ended = rows.filter((row) => row.ended_at !== null);
    return {
      ended: ended.map((row) => ({
        id: toId(row),
        state: row.state,
        result: row.result ?? undefined,
        error: parse(row.error) as ErrorRecord | undefined,
        expiresInMs: row.expires_at === null ? undefined : row.expires_at - row.enqueued_at,
      })),
      open: rows.filter((row) => row.ended_at === null).map(toId),
    };
  }

  private attempts(seq: number): AttemptRecord[] {
    const rows = this.database
      .sql('SELECT * FROM nightshift_attempts WHERE task = ? ORDER BY rowid')
      .all(seq) as {
      attempt: number;
      outcome: AttemptRecord['outcome'];
      started_at: number;
      ended_at: number;
      error: string | null;
    }[];
    return rows.map(({ attempt, outcome, started_at: startedAt, ended_at: endedAt, error }) => ({
      attempt,
      outcome,
      startedAt: new Date(startedAt),
      endedAt: new Date(endedAt),
      error: parse(error) as ErrorRecord | undefined,
    }));
  }
}

const columns =
  'seq, nonce, queue, name, definition, state, held, priority, attempt, max_attempts, claim, tags, metadata, enqueued_at, ' +
  'due_at, expires_at, started_at, ended_at, dedup_key, concurrency_key, progress, error';

function toRecord(row: TaskRow): TaskRecord {
  const progress = parse(row.progress) as
    { value: number; message?: string | undefined; atMs: number } | undefined;
  // Before the first claim no attempt has begun; between two, the number is that of the next.
  const isAhead = row.state === 'waiting' || row.state === 'scheduled' || row.state === 'retrying';
  return {
    id: toId(row),
    queue: row.queue,
    name: row.name,
    definition: row.definition,
    state: row.state,
    heldBack: row.held ?? undefined,
    priority: row.priority,
    attempt: row.claim === 0 ? 0 : isAhead ? row.attempt - 1 : row.attempt,
    maxAttempts: row.max_attempts,
    enqueuedAt: new Date(row.enqueued_at),
    dueAt: toDate(row.due_at),
    startedAt: toDate(row.started_at),
    endedAt: toDate(row.ended_at),
    expiresAt: toDate(row.expires_at),
    deduplicationKey: row.dedup_key ?? undefined,
    concurrencyKey: row.concurrency_key ?? undefined,
    tags: (parse(row.tags) as string[] | undefined) ?? [],
    metadata: (parse(row.metadata) as Record<string, unknown> | undefined) ?? {},
    progress:
      progress === undefined
        ? undefined
        : { value: progress.value, message: progress.message, at: new Date(progress.atMs) },
    error: parse(row.error) as ErrorRecord | undefined,
  };
}

function toDate(ms: number | null): Date | undefined {
  return ms === null ? undefined : new Date(ms);
}

function parse(json: string | null): unknown {
  return json === null ? undefined : JSON.parse(json);
}
