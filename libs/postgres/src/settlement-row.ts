import type { ErrorRecord, Settlement, StoredAttempt } from 'nestjs-nightshift';
import { toPlainJson } from './names.js';
import { seqOf } from './task-id.js';

/** What became of attempts, as the functions of the schema are given it. */
export interface SettlementRows {
  readonly kept: readonly object[];
  readonly gone: readonly object[];
  /** Of either, those with a concurrency key. */
  readonly keyed: readonly object[];
}

export function toSettlementRows(settlements: readonly Settlement[]): SettlementRows {
  return {
    kept: settlements
      .filter(({ isKept }) => isKept)
      .map(toKept)
      .toSorted(bySeq),
    gone: settlements
      .flatMap(({ id, claim, isKept }) => (isKept ? [] : { seq: seqOf(id), claim }))
      .toSorted(bySeq),
    keyed: settlements.flatMap(({ id, queue, concurrencyKey: key }) =>
      key === undefined ? [] : { seq: seqOf(id), queue, key },
    ),
  };
}

/** In one order, so that those who change several rows do not wait for each other. */
function bySeq(a: { readonly seq: number }, b: { readonly seq: number }): number {
  return a.seq - b.seq;
}

function toKept(settlement: Settlement) {
  const { id, claim, state, atMs, dueAtMs, nextAttempt, result, error, attempt } = settlement;
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
  };
}

/** As it is kept. */
export function toAttempt({ error, ...rest }: StoredAttempt): object {
  return error === undefined ? rest : { ...rest, error: JSON.parse(toPlainJson(error)) as ErrorRecord };
}
