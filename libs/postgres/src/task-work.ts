import type {
  ClaimedTask,
  ClaimRequest,
  ClaimResult,
  ErrorRecord,
  Settlement,
  StoredAttempt,
  TaskNotes,
} from 'nestjs-nightshift';
import type { Database } from './database.js';
import { quoteName, toPlain, toPlainJson } from './names.js';
import { seqOf, toId, type TaskKey } from './task-id.js';

/** What a worker asks of the store while tasks run. */
export type WorkCall =
  { readonly settle: Settlement } | { readonly note: TaskNotes } | { readonly claim: ClaimRequest };

type ClaimedRow = readonly [
  seq: number,
  nonce: string,
  claim: number,
  attempt: number,
  maxAttempts: number,
  name: string,
  definition: string,
  payload: string | null,
  priority: number,
  enqueuedAt: number,
  concurrencyKey: string | null,
  options: string | null,
  tags: readonly string[] | null,
  metadata: string | null,
];

interface ClaimAnswer {
  readonly batches: readonly (readonly ClaimedRow[])[];
  readonly expired: readonly (TaskKey & { readonly name: string; readonly expiresInMs: number })[];
  readonly parked: Readonly<Record<string, number>>;
  readonly nextAtMs: number | null;
  readonly mayHaveMore: boolean;
}

interface Answer {
  readonly settled: readonly number[];
  readonly claims: readonly ClaimAnswer[];
}

/** Settles what has ended, and claims what begins next, in one statement. */
export class TaskWork {
  private readonly text: string;

  constructor(private readonly database: Database) {
    this.text = `SELECT ${quoteName(database.schema)}.work($1::text::json, $2::text::json, $3::text::json) AS answer`;
  }

  async run(calls: readonly WorkCall[]): Promise<readonly (boolean | ClaimResult | undefined)[]> {
    const settlements = calls.flatMap((call) => ('settle' in call ? toSettlementRow(call.settle) : []));
    const notes = calls.flatMap((call) => ('note' in call ? toNoteRow(call.note) : []));
    // Asked now: what has ended since the claim was asked for has made places free.
    const claims = calls.flatMap((call) => ('claim' in call ? toClaimRow(call.claim) : []));
    const texts = [settlements, notes, claims].map((rows) => (rows.length > 0 ? JSON.stringify(rows) : null));
    const [row] = await this.database.query<{ answer: Answer }>(this.text, texts);
    const { settled, claims: answers } = row!.answer;
    const taken = new Set(settled);
    let next = 0;
    return calls.map((call) => {
      if ('claim' in call) return toResult(answers[next++]!);
      return 'settle' in call ? taken.has(seqOf(call.settle.id)) : undefined;
    });
  }
}

function toSettlementRow(settlement: Settlement): object {
  const { id, claim, state, atMs, dueAtMs, nextAttempt, result, error, attempt, isKept, queue } = settlement;
  return {
    seq: seqOf(id),
    claim,
    state,
    at: atMs,
    due: dueAtMs,
    next: nextAttempt,
    result,
    error: error && toPlainJson(error),
    attempt: attempt && toAttempt(attempt),
    isKept,
    queue,
    key: settlement.concurrencyKey,
  };
}

function toAttempt({ error, ...rest }: StoredAttempt): object {
  return error === undefined ? rest : { ...rest, error: JSON.parse(toPlainJson(error)) as ErrorRecord };
}

function toNoteRow({ id, claim, progress, lines }: TaskNotes): object {
  return {
    seq: seqOf(id),
    claim,
    progress: progress && toPlainJson(progress),
    lines: lines.map(({ atMs, message }) => ({ at: atMs, message: toPlain(message) })),
  };
}

function toClaimRow({ queue, worker, places, definitions, nowMs, rateLimit }: ClaimRequest): object {
  return {
    queue,
    worker,
    places: places(),
    definitions: definitions.map(toPlain),
    nowMs,
    rateMax: rateLimit?.max,
    ratePerMs: rateLimit?.perMs,
  };
}

function toResult({ batches, expired, parked, nextAtMs, mayHaveMore }: ClaimAnswer): ClaimResult {
  return {
    tasks: batches.flatMap((rows) => rows.map(toClaimed)),
    expired: expired.map((each) => ({ id: toId(each), name: each.name, expiresInMs: each.expiresInMs })),
    parked,
    nextAtMs: nextAtMs ?? undefined,
    mayHaveMore,
  };
}

function toClaimed(row: ClaimedRow): ClaimedTask {
  const [seq, nonce, claim, attempt, maxAttempts, name, definition, payload, priority, enqueuedAtMs] = row;
  const [concurrencyKey, options, tags, metadata] = row.slice(10) as [
    string | null,
    string | null,
    readonly string[] | null,
    string | null,
  ];
  return {
    id: toId({ seq, nonce }),
    claim,
    attempt,
    maxAttempts,
    name,
    definition,
    payload: payload ?? undefined,
    priority,
    enqueuedAtMs,
    expiresAtMs: undefined,
    concurrencyKey: concurrencyKey ?? undefined,
    options: options ?? undefined,
    tags: tags ?? [],
    metadata: metadata ?? undefined,
  };
}
