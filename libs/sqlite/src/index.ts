export {
  SqliteBusyError,
  SqliteClosedError,
  SqliteCorruptError,
  SqliteDriverMissingError,
  SqliteFullError,
  SqliteIoError,
  SqliteNewerVersionError,
  SqliteNoTasksError,
  SqliteOpenError,
  SqliteReadOnlyError,
  SqliteStorageError,
  SqliteThreadError,
  SqliteTransactionError,
} from './errors.js';
export { openSqliteTasks, SqliteTasks } from './sqlite-tasks.js';
export { sqliteEngine, type SqliteEngineOptions } from './sqlite-engine.js';
