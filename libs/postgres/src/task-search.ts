import type {
  AttemptRecord,
  ErrorRecord,
  ResolvedTaskQuery,
  StoredPage,
  TaskCounts,
  TaskDetails,
  TaskEnds,
  TaskRecord,
  TaskState,
} from 'nestjs-nightshift';
import type { Database } from './database.js';
import { quoteName } from './names.js';
import { conditionOf } from './task-selection.js';
import { parseId, toId, type TaskKey } from './task-id.js';

/** Numbers come as text, for they may be larger than a `number` can tell; ours are not. */
type Numeric = string | number;

interface TaskRow {
  readonly seq: Numeric;
  readonly nonce: string;
  readonly queue: string;
  readonly name: string;
  readonly definition: string;
  readonly payload: string | null;
  readonly state: TaskState;
  readonly held: TaskRecord['heldBack'] | null;
  readonly priority: Numeric;
  readonly attempt: Numeric;
  readonly max_attempts: Numeric;
  readonly claim: Numeric;
  readonly tags: readonly string[] | null;
  readonly metadata: string | null;
  readonly enqueued_at: Numeric;
  readonly due_at: Numeric | null;
  readonly expires_at: Numeric | null;
  readonly started_at: Numeric | null;
  readonly ended_at: Numeric | null;
  readonly dedup_key: string | null;
  readonly concurrency_key: string | null;
  readonly long_keys: string | null;
  readonly progress: string | null;
  readonly result: string | null;
  readonly error: string | null;
  readonly attempts: readonly StoredAttempt[] | null;
}

interface StoredAttempt {
  readonly attempt: number;
  readonly outcome: AttemptRecord['outcome'];
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly error?: ErrorRecord;
}

/** Looks tasks up. */
export class TaskSearch {
  private readonly s: string;

  constructor(private readonly database: Database) {
    this.s = quoteName(database.schema);
  }

  async search(queue: string, query: ResolvedTaskQuery): Promise<StoredPage> {
    const { limit, order, after } = query;
    const { text, values } = conditionOf(queue, query);
    const isNewestFirst = order === 'newest';
    const beyond = after === undefined ? '' : `AND seq ${isNewestFirst ? '<' : '>'} $${values.length + 1}`;
    const rows = await this.database.query<TaskRow>(
      `SELECT ${columns} FROM ${this.s}.tasks WHERE ${text} ${beyond}
       ORDER BY seq ${isNewestFirst ? 'DESC' : 'ASC'} LIMIT ${limit + 1}`,
      after === undefined ? values : [...values, after],
    );
    const page = rows.slice(0, limit);
    const next = rows.length > limit ? Number(page.at(-1)!.seq) : undefined;
    return { tasks: page.map(toRecord), next };
  }

  async details(queue: string, id: string): Promise<TaskDetails | undefined> {
    const key = parseId(id);
    if (key === undefined) return undefined;
    const [row] = await this.database.query<TaskRow>(
      `SELECT ${columns}, payload, result, attempts FROM ${this.s}.tasks WHERE queue = $1 AND seq = $2 AND nonce = $3`,
      [queue, key.seq, key.nonce],
    );
    if (row === undefined) return undefined;
    const lines = await this.database.query<{ at: Numeric; message: string }>(
      `SELECT at, message FROM ${this.s}.log WHERE task = $1 ORDER BY id`,
      [key.seq],
    );
    return {
      ...toRecord(row),
      payload: parse(row.payload),
      result: parse(row.result),
      attempts: (row.attempts ?? []).map(toAttempt),
      log: lines.map(({ at, message }) => ({ at: new Date(Number(at)), message })),
    };
  }

  async state(queue: string, id: string): Promise<TaskState | undefined> {
    const key = parseId(id);
    if (key === undefined) return undefined;
    const [row] = await this.database.query<{ state: TaskState }>(
      `SELECT state FROM ${this.s}.tasks WHERE queue = $1 AND seq = $2 AND nonce = $3`,
      [queue, key.seq, key.nonce],
    );
    return row?.state;
  }

  async ends(queue: string, ids: readonly string[]): Promise<TaskEnds> {
    const { text, values } = conditionOf(queue, { ids });
    const rows = await this.database.query<TaskRow>(
      `SELECT seq, nonce, state, result, error, enqueued_at, expires_at, ended_at FROM ${this.s}.tasks
       WHERE ${text}`,
      values,
    );
    const ended = rows.filter((row) => row.ended_at !== null);
    return {
      ended: ended.map((row) => ({
        id: idOf(row),
        state: row.state,
        result: row.result ?? undefined,
        error: parse(row.error) as ErrorRecord | undefined,
        expiresInMs: row.expires_at === null ? undefined : Number(row.expires_at) - Number(row.enqueued_at),
      })),
      open: rows.filter((row) => row.ended_at === null).map(idOf),
    };
  }

  async counts(queue: string): Promise<TaskCounts> {
    const rows = await this.database.query<{ state: TaskState | 'held'; tasks: Numeric }>(
      `SELECT state, sum(tasks) AS tasks FROM ${this.s}.counts WHERE queue = $1 GROUP BY state`,
      [queue],
    );
    const found = new Map(rows.map(({ state, tasks }) => [state, Number(tasks)]));
    const of = (state: TaskState | 'held'): number => found.get(state) ?? 0;
    return {
      scheduled: of('scheduled'),
      waiting: of('waiting'),
      active: of('active'),
      retrying: of('retrying'),
      completed: of('completed'),
      dead: of('dead'),
      discarded: of('discarded'),
      cancelled: of('cancelled'),
      expired: of('expired'),
      heldBack: of('held'),
    };
  }
}

const columns =
  'seq, nonce, queue, name, definition, state, held, priority, attempt, max_attempts, claim, to_json(tags) AS tags, metadata, enqueued_at, ' +
  'due_at, expires_at, started_at, ended_at, dedup_key, concurrency_key, long_keys, progress, error';

function toRecord(row: TaskRow): TaskRecord {
  const progress = parse(row.progress) as
    { value: number; message?: string | undefined; atMs: number } | undefined;
  const keys = (parse(row.long_keys) ?? {}) as { deduplication?: string; concurrency?: string };
  // Before the first claim no attempt has begun; between two, the number is that of the next.
  const isAhead = row.state === 'waiting' || row.state === 'scheduled' || row.state === 'retrying';
  const attempt = Number(row.attempt);
  return {
    id: idOf(row),
    queue: row.queue,
    name: row.name,
    definition: row.definition,
    state: row.state,
    heldBack: row.held ?? undefined,
    priority: Number(row.priority),
    attempt: Number(row.claim) === 0 ? 0 : isAhead ? attempt - 1 : attempt,
    maxAttempts: Number(row.max_attempts),
    enqueuedAt: new Date(Number(row.enqueued_at)),
    dueAt: toDate(row.due_at),
    startedAt: toDate(row.started_at),
    endedAt: toDate(row.ended_at),
    expiresAt: toDate(row.expires_at),
    deduplicationKey: row.dedup_key === null ? undefined : (keys.deduplication ?? row.dedup_key),
    concurrencyKey: keys.concurrency ?? row.concurrency_key ?? undefined,
    tags: row.tags ?? [],
    metadata: (parse(row.metadata) as Record<string, unknown> | undefined) ?? {},
    progress:
      progress === undefined
        ? undefined
        : { value: progress.value, message: progress.message, at: new Date(progress.atMs) },
    error: parse(row.error) as ErrorRecord | undefined,
  };
}

function toAttempt({ attempt, outcome, startedAtMs, endedAtMs, error }: StoredAttempt): AttemptRecord {
  return { attempt, outcome, startedAt: new Date(startedAtMs), endedAt: new Date(endedAtMs), error };
}

function idOf({ seq, nonce }: { readonly seq: Numeric; readonly nonce: string }): string {
  return toId({ seq: Number(seq), nonce } satisfies TaskKey);
}

function toDate(ms: Numeric | null): Date | undefined {
  return ms === null ? undefined : new Date(Number(ms));
}

function parse(json: string | null): unknown {
  return json === null ? undefined : JSON.parse(json);
}
