import type { ErrorRecord, Settlement, StoredAttempt } from 'nestjs-nightshift';
import { toPlainJson } from './names.js';
import { seqOf } from './task-id.js';

/** What became of an attempt, as the functions of the schema are given it. */
export function toSettlementRow(settlement: Settlement): object {
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

/** As it is kept. */
export function toAttempt({ error, ...rest }: StoredAttempt): object {
  return error === undefined ? rest : { ...rest, error: JSON.parse(toPlainJson(error)) as ErrorRecord };
}
