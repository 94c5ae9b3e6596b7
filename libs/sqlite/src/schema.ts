import type { SqliteConnection } from './driver.js';
import { rollBack } from './database.js';
import { SqliteNewerVersionError } from './errors.js';

/**
 * What each version of the tables adds to the one before: only ever added to. All names begin with `nightshift_`, as the
 * file may be the application's own.
 *
 * - A task's id is `seq-nonce`: the number is how it is found, and what follows keeps ids from being guessed.
 * - `rank` puts tasks that have fallen due before those that were enqueued to run at once, which all have 0, and then `seq`
 *   decides.
 * - `held` takes a waiting task out of the line: it has no handler, or its concurrency key has no room.
 * - `claim` goes up with each claim; `attempt` is the number of the attempt that runs or comes next.
 */
const versions: readonly string[] = [
  `
  CREATE TABLE nightshift_tasks (
    seq INTEGER PRIMARY KEY,
    nonce TEXT NOT NULL,
    queue TEXT NOT NULL,
    name TEXT NOT NULL,
    definition TEXT NOT NULL,
    payload TEXT,
    state TEXT NOT NULL,
    held TEXT,
    priority INTEGER NOT NULL,
    rank INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 1,
    max_attempts INTEGER NOT NULL,
    claim INTEGER NOT NULL DEFAULT 0,
    interruptions INTEGER NOT NULL DEFAULT 0,
    worker INTEGER,
    options TEXT,
    tags TEXT,
    metadata TEXT,
    enqueued_at INTEGER NOT NULL,
    due_at INTEGER,
    expires_at INTEGER,
    started_at INTEGER,
    ended_at INTEGER,
    dedup_key TEXT,
    dedup_until INTEGER,
    concurrency_key TEXT,
    concurrency_limit INTEGER,
    cancellation TEXT,
    progress TEXT,
    result TEXT,
    error TEXT
  ) STRICT;
  CREATE INDEX nightshift_tasks_by_state ON nightshift_tasks (queue, state);
  CREATE INDEX nightshift_tasks_ready ON nightshift_tasks (queue, priority, rank)
    WHERE state = 'waiting' AND held IS NULL;
  CREATE INDEX nightshift_tasks_held ON nightshift_tasks (queue, held, concurrency_key, priority, rank)
    WHERE held IS NOT NULL;
  CREATE INDEX nightshift_tasks_parked ON nightshift_tasks (queue, definition, priority, rank)
    WHERE held = 'noHandler';
  CREATE INDEX nightshift_tasks_due ON nightshift_tasks (queue, due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX nightshift_tasks_expiring ON nightshift_tasks (queue, expires_at)
    WHERE expires_at IS NOT NULL AND ended_at IS NULL;
  CREATE INDEX nightshift_tasks_keyed ON nightshift_tasks (queue, concurrency_key)
    WHERE concurrency_key IS NOT NULL AND state = 'active';
  CREATE UNIQUE INDEX nightshift_tasks_unique ON nightshift_tasks (queue, dedup_key) WHERE dedup_key IS NOT NULL;

  CREATE TABLE nightshift_attempts (
    task INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    error TEXT
  ) STRICT;
  CREATE INDEX nightshift_attempts_by_task ON nightshift_attempts (task);

  CREATE TABLE nightshift_log (task INTEGER NOT NULL, at INTEGER NOT NULL, message TEXT NOT NULL) STRICT;
  CREATE INDEX nightshift_log_by_task ON nightshift_log (task);

  CREATE TABLE nightshift_counts (
    queue TEXT NOT NULL,
    state TEXT NOT NULL,
    tasks INTEGER NOT NULL,
    PRIMARY KEY (queue, state)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE nightshift_queues (name TEXT PRIMARY KEY, paused INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE nightshift_starts (queue TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
  CREATE INDEX nightshift_starts_by_queue ON nightshift_starts (queue, at);

  CREATE TABLE nightshift_workers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    beat INTEGER NOT NULL,
    process TEXT NOT NULL,
    since INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE nightshift_occurrences (
    service TEXT PRIMARY KEY,
    due_at INTEGER NOT NULL,
    worker INTEGER,
    previous INTEGER
  ) STRICT, WITHOUT ROWID;
  `,
];

/** The version of the tables that this release makes. */
export const schemaVersion = versions.length;

/**
 * Brings the tables up to date, inside a transaction of its own, so that of several processes that start at once one does
 * it.
 *
 * @throws SqliteNewerVersionError when a newer release has been there
 */
export function migrate(connection: SqliteConnection, file: string): void {
  if (versionOf(connection) === schemaVersion) return; // without waiting for anybody who writes
  connection.exec('BEGIN IMMEDIATE');
  try {
    const version = versionOf(connection);
    if (version > schemaVersion) throw new SqliteNewerVersionError(file, version, schemaVersion);
    if (version === 0)
      connection.exec(
        'CREATE TABLE nightshift_schema (version INTEGER NOT NULL, releases INTEGER NOT NULL DEFAULT 0) STRICT',
      );
    for (const statements of versions.slice(version)) connection.exec(statements);
    if (version === 0) connection.exec('INSERT INTO nightshift_schema (version) VALUES (0)');
    connection.exec(`UPDATE nightshift_schema SET version = ${schemaVersion}`);
    connection.exec('COMMIT');
  } catch (error) {
    rollBack(connection);
    throw error;
  }
}

/** 0 when there are no tables yet. */
export function versionOf(connection: SqliteConnection): number {
  const table = connection.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'nightshift_schema'`).get();
  if (table === undefined) return 0;
  return (connection.prepare('SELECT version FROM nightshift_schema').get() as { version: number }).version;
}
