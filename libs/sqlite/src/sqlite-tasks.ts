import {
  resolveTaskQuery,
  toCursor,
  type TaskCounts,
  type TaskDetails,
  type TaskPage,
  type TaskQuery,
} from 'nestjs-nightshift';
import { loadDriver, type SqliteConnection } from './driver.js';
import { explain, isBusy, SqliteBusyError, SqliteNewerVersionError, SqliteNoTasksError } from './errors.js';
import { Database } from './database.js';
import { schemaVersion, versionOf } from './schema.js';
import { StateCounts } from './task-counts.js';
import { TaskSearch } from './task-search.js';

/** How long to wait for somebody who is just opening or closing the file, in milliseconds. */
const patienceMs = 2_000;

/**
 * Opens the file of an engine to look at it and nothing more: for tools and scripts, beside the applications that use it or
 * without any. Nothing is written, not even the tables brought up to date.
 *
 * @example
 * await using tasks = await openSqliteTasks('tasks.db');
 * for (const queue of tasks.queues()) console.log(queue, tasks.counts(queue));
 * @throws SqliteOpenError, SqliteCorruptError, SqliteBusyError, SqliteNewerVersionError
 * @throws SqliteNoTasksError when no engine has ever used the file, or only an older release
 */
export async function openSqliteTasks(file: string): Promise<SqliteTasks> {
  const DatabaseSync = await loadDriver();
  let connection: SqliteConnection | undefined;
  try {
    connection = new DatabaseSync(file, { readOnly: true, timeout: patienceMs });
    const version = versionOf(connection);
    if (version > schemaVersion) throw new SqliteNewerVersionError(file, version, schemaVersion);
    if (version < schemaVersion) throw new SqliteNoTasksError(file, version);
    return new SqliteTasks(connection);
  } catch (error) {
    connection?.close();
    throw isBusy(error) ? new SqliteBusyError(file, patienceMs, { cause: error }) : explain(error, file);
  }
}

/** The tasks in a file, as they are at the moment of each call. Made by {@link openSqliteTasks}. */
export class SqliteTasks implements Disposable, AsyncDisposable {
  private readonly database: Database;
  private readonly tasks: TaskSearch;

  /** @internal */
  constructor(private readonly connection: SqliteConnection) {
    this.database = new Database(connection);
    this.tasks = new TaskSearch(this.database);
  }

  /** The names of the queues that have ever held a task. */
  queues(): string[] {
    const rows = this.database.sql('SELECT DISTINCT queue FROM nightshift_counts ORDER BY queue').all() as {
      queue: string;
    }[];
    return rows.map(({ queue }) => queue);
  }

  counts(queue: string): TaskCounts {
    return new StateCounts(this.database).all(queue);
  }

  /** @throws InvalidOptionsError */
  search(queue: string, query: TaskQuery = {}): TaskPage {
    const { tasks, next } = this.tasks.search(queue, resolveTaskQuery(query));
    return { tasks, next: next === undefined ? undefined : toCursor(next) };
  }

  /** `undefined` when there is none. */
  task(queue: string, id: string): TaskDetails | undefined {
    return this.tasks.details(queue, id);
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.connection.close();
    return Promise.resolve();
  }
}
