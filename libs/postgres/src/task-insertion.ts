import type { InsertOutcome, NewTask, QueueBound } from 'nestjs-nightshift';
import { busy, isLockTimeout } from './clash.js';
import type { Database } from './database.js';
import { quoteName, toKey, toPlain } from './names.js';
import { createNonce, toId, type TaskKey } from './task-id.js';

/** One task to be added. */
export interface Insertion {
  readonly task: NewTask;
  readonly bound: QueueBound;
  readonly wasBusy?: boolean;
}

/** A task as the functions of the schema take it. */
export type TaskRow = Readonly<Record<string, unknown>> & { readonly nonce: string };

interface Answer extends TaskKey {
  readonly kind: InsertOutcome['kind'];
  readonly name: string;
  readonly dropped: readonly (TaskKey & { readonly name: string })[];
  readonly replaced: (TaskKey & { readonly name: string }) | null;
}

interface Busy {
  readonly kind: 'busy';
}

/** Adds tasks: plain ones many at once, and those that may be duplicates, or may not fit, one by one in one statement. */
export class TaskInsertion {
  private readonly addPlain: string;
  private readonly addTasks: string;

  constructor(private readonly database: Database) {
    const s = quoteName(database.schema);
    this.addPlain = `SELECT to_json(${s}.add_plain($1::text::json)) AS seqs`;
    this.addTasks = `SELECT ${s}.add_tasks($1::text::json, $2) AS outcomes`;
  }

  async insert(insertions: readonly Insertion[]): Promise<readonly (InsertOutcome | typeof busy)[]> {
    const rows = insertions.map(({ task, bound }) => toRow(task, bound));
    const text = JSON.stringify(rows);
    if (insertions.every(isPlain)) {
      const [answer] = await this.database.query<{ seqs: readonly number[] }>(this.addPlain, [text]);
      return answer!.seqs.map((seq, index) => added({ seq, nonce: rows[index]!.nonce }));
    }
    const outcomes = await this.outcomesOf(
      text,
      insertions.some(({ wasBusy }) => wasBusy === true),
    );
    return outcomes.map((outcome, index) =>
      outcome.kind === 'busy' ? busy : toOutcome(outcome, rows[index]!),
    );
  }

  /** What takes long is asked again so that those are passed over that have to wait. */
  private async outcomesOf(text: string, isCareful: boolean): Promise<readonly (Answer | Busy)[]> {
    try {
      const values = [text, isCareful];
      const [answer] = await this.database.query<{ outcomes: readonly (Answer | Busy)[] }>(
        this.addTasks,
        values,
      );
      return answer!.outcomes;
    } catch (error) {
      if (isCareful || !isLockTimeout(error)) throw error;
      return this.outcomesOf(text, true);
    }
  }
}

export function toRow(task: NewTask, bound: QueueBound): TaskRow {
  const { deduplication, dueAtMs, concurrencyKey, tags } = task;
  const row = {
    nonce: createNonce(),
    queue: task.queue,
    name: toPlain(task.name),
    definition: toPlain(task.definition),
    payload: task.payload,
    priority: task.priority,
    maxAttempts: task.maxAttempts,
    enqueuedAtMs: task.enqueuedAtMs,
    options: task.options,
    metadata: task.metadata,
    ...(tags.length > 0 && { tags: tags.map(toPlain) }),
  };
  if (isPlain({ task, bound })) return row;
  return {
    ...row,
    dueAtMs,
    expiresAtMs: task.expiresAtMs,
    ...(deduplication !== undefined && {
      key: toKey(deduplication.key),
      untilMs: deduplication.untilMs,
      onConflict: deduplication.onConflict,
    }),
    ...(concurrencyKey !== undefined && {
      concurrencyKey: toKey(concurrencyKey),
      concurrencyLimit: task.concurrencyLimit,
    }),
    longKeys: longKeysOf(task),
    capacity: bound.capacity,
    fullMode: bound.fullMode,
  };
}

export function toOutcome(answer: Answer, row: TaskRow): InsertOutcome {
  const { kind, seq, name, dropped, replaced } = answer;
  switch (kind) {
    case 'full':
      return { kind };
    case 'duplicate':
      return { kind, id: toId(answer), name };
    case 'dropped':
      return { kind, id: toId({ seq, nonce: row.nonce }) };
    default:
      return {
        kind: 'added',
        id: toId({ seq, nonce: row.nonce }),
        dropped: dropped.map((each) => ({ id: toId(each), name: each.name })),
        replaced: replaced === null ? undefined : { id: toId(replaced), name: replaced.name },
      };
  }
}

/** The keys as they were given, if one is not in its column so. */
function longKeysOf({ deduplication, concurrencyKey }: NewTask): string | undefined {
  const given = { deduplication: deduplication?.key, concurrency: concurrencyKey };
  const isLong = Object.values(given).some((key) => key !== undefined && toKey(key) !== key);
  return isLong ? JSON.stringify(given) : undefined;
}

/** Nothing has to be decided about it. */
function isPlain({ task, bound }: Insertion): boolean {
  return (
    task.deduplication === undefined &&
    task.dueAtMs === undefined &&
    task.expiresAtMs === undefined &&
    task.concurrencyKey === undefined &&
    bound.capacity === undefined
  );
}

function added(key: TaskKey): InsertOutcome {
  return { kind: 'added', id: toId(key), dropped: [], replaced: undefined };
}
