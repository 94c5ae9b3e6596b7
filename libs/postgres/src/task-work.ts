import type { ClaimedTask, ClaimRequest, ClaimResult, Settlement, TaskNotes } from 'nestjs-nightshift';
import { busy, isLockTimeout } from './clash.js';
import type { Database } from './database.js';
import { PostgresUnreachableError } from './errors.js';
import { quoteName, toPlain, toPlainJson } from './names.js';
import { seqOf, toId, type TaskKey } from './task-id.js';
import { toSettlementRows } from './settlement-row.js';
import { UncertainWork } from './uncertain-work.js';

/** What a worker asks of the store while tasks run. */
export type WorkCall =
  | { readonly settle: Settlement; readonly wasBusy?: boolean }
  | { readonly note: TaskNotes }
  | { readonly claim: ClaimRequest };

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
  keyUntil: number | null,
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
  readonly busy: readonly number[];
  readonly claims: readonly ClaimAnswer[];
}

const parameters = [1, 2, 3, 4, 5].map((n) => `$${n}::text::json`).join(', ') + ', $6';

/** Settles what has ended, and claims what begins next, in one statement. */
export class TaskWork {
  private readonly text: string;
  private readonly uncertain: UncertainWork;

  constructor(private readonly database: Database) {
    this.text = `SELECT ${quoteName(database.schema)}.work(${parameters}) AS answer`;
    this.uncertain = new UncertainWork(database);
  }

  async run(
    calls: readonly WorkCall[],
  ): Promise<readonly (boolean | typeof busy | ClaimResult | undefined)[]> {
    const { uncertain } = this;
    if (calls.some((call) => 'claim' in call)) await uncertain.giveBackUnknown();
    const { settled, claims, busy: held } = await this.ask(calls);
    const taken = new Set(settled);
    if (uncertain.hasSettlements) await this.lookForLost(calls, taken);
    let next = 0;
    return calls.map((call) => {
      if ('note' in call) return undefined;
      if ('settle' in call) {
        if (held.includes(seqOf(call.settle.id))) return busy;
        return taken.has(uncertain.settled(call.settle));
      }
      const result = toResult(claims[next++]!);
      uncertain.given(call.claim.worker, result.tasks);
      return result;
    });
  }

  /** Adds to `taken` what had been settled when the answer was lost. */
  private async lookForLost(calls: readonly WorkCall[], taken: Set<number>): Promise<void> {
    const settlements = calls.flatMap((call) => ('settle' in call ? call.settle : []));
    try {
      for (const seq of await this.uncertain.storedAmong(settlements)) taken.add(seq);
    } catch (error) {
      for (const call of calls) this.noteLost(call); // what was claimed along is not known either
      throw error;
    }
  }

  private async ask(calls: readonly WorkCall[]): Promise<Answer> {
    const { kept, gone, keyed } = toSettlementRows(
      calls.flatMap((call) => ('settle' in call ? call.settle : [])),
    );
    const notes = calls.flatMap((call) => ('note' in call ? toNoteRow(call.note) : []));
    // Asked now: what has ended since the claim was asked for has made places free.
    const claims = calls.flatMap((call) =>
      'claim' in call ? toClaimRow(call.claim, this.uncertain.fence) : [],
    );
    const texts = [kept, gone, keyed, notes, claims].map((rows) =>
      rows.length > 0 ? JSON.stringify(rows) : null,
    );
    try {
      return await this.answerOf(
        texts,
        calls.some((call) => 'settle' in call && call.wasBusy === true),
      );
    } catch (error) {
      if (error instanceof PostgresUnreachableError) for (const call of calls) this.noteLost(call);
      throw error;
    }
  }

  /** What takes long is asked again so that it passes over whoever is in the way. */
  private async answerOf(texts: readonly (string | null)[], isCareful: boolean): Promise<Answer> {
    try {
      const [row] = await this.database.query<{ answer: Answer }>(this.text, [...texts, isCareful]);
      return row!.answer;
    } catch (error) {
      if (isCareful || !isLockTimeout(error)) throw error;
      return this.answerOf(texts, true);
    }
  }

  private noteLost(call: WorkCall): void {
    if ('claim' in call) this.uncertain.claimLost(call.claim.worker);
    if ('settle' in call) this.uncertain.settlementLost(call.settle);
  }
}

function toNoteRow({ id, claim, progress, lines }: TaskNotes): object {
  return {
    seq: seqOf(id),
    claim,
    progress: progress && toPlainJson(progress),
    lines: lines.map(({ atMs, message }) => ({ at: atMs, message: toPlain(message) })),
  };
}

function toClaimRow(
  { queue, worker, places, definitions, nowMs, rateLimit }: ClaimRequest,
  fence: number,
): object {
  return {
    queue,
    worker,
    places: places(),
    definitions: definitions.map(toPlain),
    nowMs,
    rateMax: rateLimit?.max,
    ratePerMs: rateLimit?.perMs,
    fence,
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
  const [concurrencyKey, options, tags, metadata, keyUntilMs] = row.slice(10) as [
    string | null,
    string | null,
    readonly string[] | null,
    string | null,
    number | null,
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
    keyUntilMs: keyUntilMs ?? undefined,
  };
}
