import { setTimeout as sleep } from 'node:timers/promises';
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

/** How long to wait, at random and at most, before opening a file is tried again that somebody else is just making. */
const longestPauseMs = 25;

/**
 * Opens the file, and makes its tables or brings them up to date.
 *
 * @throws one of the errors of this library that says what is wrong with the file
 */
export async function openStore(options: StoreOptions): Promise<SqliteStore> {
  const DatabaseSync = await loadDriver();
  const { file, patienceMs } = options;
  const begunAt = performance.now();
  for (;;) {
    try {
      return openOnce(new DatabaseSync(file, { timeout: 0 }), options);
    } catch (error) {
      if (!isBusy(error)) throw explain(error, file);
      const waitedMs = Math.round(performance.now() - begunAt);
      if (waitedMs >= patienceMs) throw new SqliteBusyError(file, waitedMs, { cause: error });
    }
    // SQLite would not wait by itself when two switch a new file to WAL at once; and it would block the event loop.
    await sleep(Math.random() * longestPauseMs);
  }
}

function openOnce(connection: SqliteConnection, { file, synchronous }: StoreOptions): SqliteStore {
  try {
    connection.exec('PRAGMA journal_mode = WAL');
    // FULL is said explicitly: with NORMAL a power cut takes the last commits, though the file stays whole.
    connection.exec(`PRAGMA synchronous = ${synchronous.toUpperCase()}`);
    migrate(connection, file);
    expectWritable(connection);
    return new SqliteStore(connection);
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** A file that can only be read would open, and then refuse each task: better that the application does not start. */
function expectWritable(connection: SqliteConnection): void {
  try {
    connection.exec('BEGIN IMMEDIATE');
    connection.exec('ROLLBACK');
  } catch (error) {
    if (!isBusy(error)) throw error; // somebody else can write
  }
}
