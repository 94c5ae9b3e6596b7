export {
  SqliteBusyError,
  SqliteClosedError,
  SqliteCorruptError,
  SqliteDriverMissingError,
  SqliteFullError,
  SqliteIoError,
  SqliteNewerVersionError,
  SqliteOpenError,
  SqliteReadOnlyError,
  SqliteStorageError,
  SqliteThreadError,
  SqliteTransactionError,
} from './errors.js';
export { sqliteEngine, type SqliteEngineOptions } from './sqlite-engine.js';
