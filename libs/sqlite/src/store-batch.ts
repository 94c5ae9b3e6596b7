import { isBusy } from './errors.js';
import type { SqliteStore, StoreReads, StoreWrites } from './sqlite-store.js';

/** One call of a store's method, as plain data: it may have to go to another thread. */
export interface StoreCall {
  readonly method: keyof StoreWrites | keyof StoreReads;
  readonly values: readonly unknown[];
}

/** What came of it. */
export type StoreAnswer = { readonly value: unknown } | { readonly error: unknown };

/**
 * Runs the calls of a batch: all writes in one transaction, which is what makes many of them cost little more than one, and
 * after it the reads. A call that throws spoils the transaction for the others, who then get one each.
 *
 * When it is somebody else's turn to write, nothing is written: the answer to the writes is SQLite's own error.
 *
 * @throws that error when there is nothing but writes
 */
export function runBatch(store: SqliteStore, calls: readonly StoreCall[]): StoreAnswer[] {
  const answers = Array.from<StoreAnswer>({ length: calls.length });
  const writes = calls.flatMap(({ method }, index) => (method in store.writes ? index : []));
  if (writes.length > 0) {
    try {
      store.write(() => {
        for (const index of writes) answers[index] = { value: runOne(store, calls[index]!) };
      });
    } catch (error) {
      if (isBusy(error) && writes.length === calls.length) throw error;
      if (isBusy(error))
        for (const index of writes) answers[index] = { error }; // who only reads need not wait
      else if (writes.length === 1) answers[writes[0]!] = { error };
      else for (const index of writes) answers[index] = runAlone(store, calls[index]!);
    }
  }
  for (const [index, call] of calls.entries()) {
    if (call.method in store.writes) continue;
    answers[index] = attempt(() => runOne(store, call));
  }
  return answers;
}

function runAlone(store: SqliteStore, call: StoreCall): StoreAnswer {
  return attempt(() => store.write(() => runOne(store, call)));
}

function attempt(run: () => unknown): StoreAnswer {
  try {
    return { value: run() };
  } catch (error) {
    return { error };
  }
}

function runOne(store: SqliteStore, { method, values }: StoreCall): unknown {
  const methods: Readonly<Record<string, unknown>> = method in store.writes ? store.writes : store.reads;
  return (methods[method] as (...values: readonly unknown[]) => unknown)(...values);
}
