import type { InsertOutcome, NewTask, QueueBound } from 'nestjs-nightshift';
import { codeOf, PostgresTransactionError } from './errors.js';
import { quoteName } from './names.js';
import { toOutcome, toRow } from './task-insertion.js';

/** Runs SQL in a transaction of the caller's. There is one value, `$1`, and it is text. */
export type RunInTransaction = (text: string, values: [string]) => Promise<unknown>;

/** What `enqueue(..., { transaction })` takes. */
export type PostgresTransaction =
  /** A client of `pg`, or whatever has the same `query()`. */
  { query(text: string, values: [string]): Promise<unknown> } | RunInTransaction;

/**
 * Inserts in a transaction of the caller's, who commits it or does not. Others hear of the task when it is committed.
 *
 * @throws PostgresTransactionError when it is no transaction, or one in another database
 */
export async function insertWithin(
  transaction: unknown,
  schema: string,
  channel: string,
  task: NewTask,
  bound: QueueBound,
): Promise<InsertOutcome> {
  const run = runnerOf(transaction);
  const row = { ...toRow(task, bound), channel };
  const text = `SELECT ${quoteName(schema)}.add_task($1::text::json)::text AS outcome`;
  let answer: unknown;
  try {
    answer = await run(text, [JSON.stringify(row)]);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new PostgresTransactionError(`the tables of the engine ("${schema}") are not in its database`, {
      cause: error,
    });
  }
  const rows = Array.isArray(answer) ? answer : (answer as { rows?: unknown } | undefined)?.rows;
  const outcome = ((rows as { outcome?: unknown }[] | undefined)?.[0] ?? {}).outcome;
  if (typeof outcome !== 'string')
    throw new PostgresTransactionError('what it gave back are no rows, and no { rows }');
  return toOutcome(JSON.parse(outcome) as Parameters<typeof toOutcome>[0], row);
}

function runnerOf(transaction: unknown): RunInTransaction {
  if (typeof transaction === 'function') return transaction as RunInTransaction;
  const { query, totalCount } = (transaction ?? {}) as { query?: unknown; totalCount?: unknown };
  if (typeof query !== 'function')
    throw new PostgresTransactionError('it is no function, and has no query()');
  if (typeof totalCount === 'number')
    throw new PostgresTransactionError(
      'it is a pool, which runs each statement on whatever connection is free',
    );
  return (text, values) => (transaction as { query: RunInTransaction }).query(text, values);
}

/** An ORM may have wrapped the error of the server. */
function isMissing(error: unknown): boolean {
  const missing: readonly unknown[] = ['42883', '3F000', '42P01'];
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth += 1)
    if (missing.includes(codeOf(each))) return true;
  return false;
}
