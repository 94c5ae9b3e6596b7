import { statSync } from 'node:fs';
import type { InsertOutcome, NewTask, QueueBound } from 'nestjs-nightshift';
import { Database } from './database.js';
import type { SqliteConnection } from './driver.js';
import { explain, isBusy, SqliteBusyError, SqliteTransactionError } from './errors.js';
import { schemaVersion, versionOf } from './schema.js';
import { StateCounts } from './task-counts.js';
import { TaskInsertion } from './task-insertion.js';

interface Prepared {
  readonly file: string;
  readonly insertion: TaskInsertion;
  readonly counts: StateCounts;
}

/** What was made for connections that are not ours: they come back with every enqueue. */
const known = new WeakMap<object, Prepared>();

/**
 * Inserts on a connection of the caller's, who has begun a transaction there, and commits it or does not.
 *
 * @throws SqliteTransactionError when it is no such connection, has no transaction open, or is of another file
 */
export function insertWithin(
  transaction: unknown,
  file: string,
  task: NewTask,
  bound: QueueBound,
): InsertOutcome {
  const connection = expectConnection(transaction, file);
  const { insertion, counts } = prepare(connection, file);
  try {
    const outcome = insertion.insert(task, bound);
    counts.write();
    return outcome;
  } catch (error) {
    counts.forget();
    throw isBusy(error) ? new SqliteBusyError(file, 0, { cause: error }) : explain(error, file);
  }
}

function expectConnection(transaction: unknown, file: string): SqliteConnection {
  const { prepare, isTransaction, inTransaction } = (transaction ?? {}) as {
    prepare?: unknown;
    isTransaction?: unknown;
    inTransaction?: unknown;
  };
  if (typeof prepare !== 'function')
    throw new SqliteTransactionError(file, 'it is no connection, for it has no prepare()');
  if ((isTransaction ?? inTransaction) === false)
    throw new SqliteTransactionError(file, 'no transaction is open on this connection');
  return transaction as SqliteConnection;
}

function prepare(connection: SqliteConnection, file: string): Prepared {
  const found = known.get(connection);
  if (found?.file === file) return found;
  let version: number;
  try {
    version = versionOf(connection);
    expectSameFile(connection, file);
  } catch (error) {
    if (error instanceof SqliteTransactionError) throw error;
    throw new SqliteTransactionError(file, 'the connection cannot be read', { cause: error });
  }
  if (version !== schemaVersion)
    throw new SqliteTransactionError(file, 'the tables of the engine are not in the file of this connection');
  const database = new Database(connection);
  const counts = new StateCounts(database);
  const prepared = { file, counts, insertion: new TaskInsertion(database, counts) };
  known.set(connection, prepared);
  return prepared;
}

/** Another file may have the same tables, and then the task would wait where nobody looks for it. */
function expectSameFile(connection: SqliteConnection, file: string): void {
  if (file.startsWith('file:')) return; // a URI, which SQLite alone knows how to read
  const databases = connection.prepare('PRAGMA database_list').all() as {
    name: string;
    file: string | null;
  }[];
  const other = databases.find(({ name }) => name === 'main')?.file;
  const [own, theirs] = [identityOf(file), identityOf(other ?? '')];
  if (own !== theirs)
    throw new SqliteTransactionError(file, `it is of another file, '${other || ':memory:'}'`);
}

/** What is the same for all names of one file; of what is no file, its name. */
function identityOf(file: string): string {
  const { dev, ino } = statSync(file, { throwIfNoEntry: false, bigint: true }) ?? {};
  return ino === undefined ? `not a file: ${file}` : `${dev} ${ino}`;
}
