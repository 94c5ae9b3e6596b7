export {
  GraphilePermissionError,
  GraphileWorkerMissingError,
  PgMissingError,
  PostgresAccessDeniedError,
  PostgresClosedError,
  PostgresDatabaseMissingError,
  PostgresEncodingError,
  PostgresIsolationError,
  PostgresNewerVersionError,
  PostgresPermissionError,
  PostgresReadOnlyError,
  PostgresSchemaTakenError,
  PostgresStorageError,
  PostgresTransactionError,
  PostgresUnreachableError,
} from './errors.js';
export type { PostgresTransaction, RunInTransaction } from './foreign-transaction.js';
export { postgresEngine, type PostgresEngineOptions } from './postgres-engine.js';
