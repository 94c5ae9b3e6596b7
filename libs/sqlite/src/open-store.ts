import type { SqliteConnection } from './driver.js';
import { loadDriver } from './driver.js';
import { explain, isBusy, SqliteBusyError } from './errors.js';
import { migrate } from './schema.js';
import { SqliteStore } from './sqlite-store.js';

/** How a file is opened. Plain data: it may go to another thread. */
export interface StoreOptions {
  readonly file: string;
  readonly synchronous: 'full' | 'normal';
  readonly patienceMs: number;
}

/** How long SQLite itself may wait for a lock while the file is being opened, when nothing else is going on yet. */
const openingTimeoutMs = 5_000;

/**
 * Opens the file, and makes its tables or brings them up to date.
 *
 * @throws one of the errors of this library that says what is wrong with the file
 */
export async function openStore({ file, synchronous }: StoreOptions): Promise<SqliteStore> {
  const DatabaseSync = await loadDriver();
  let connection: SqliteConnection | undefined;
  try {
    connection = new DatabaseSync(file, { timeout: openingTimeoutMs });
    connection.exec('PRAGMA journal_mode = WAL');
    // FULL is said explicitly: with NORMAL a power cut takes the last commits, though the file stays whole.
    connection.exec(`PRAGMA synchronous = ${synchronous.toUpperCase()}`);
    migrate(connection, file);
    // From now on nobody waits inside SQLite, where the whole event loop would wait too.
    connection.exec('PRAGMA busy_timeout = 0');
    return new SqliteStore(connection);
  } catch (error) {
    connection?.close();
    throw isBusy(error)
      ? new SqliteBusyError(file, openingTimeoutMs, { cause: error })
      : explain(error, file);
  }
}
