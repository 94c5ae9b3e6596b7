import { UnstorableOutcomeError } from 'nestjs-nightshift';
import { NightshiftError } from 'nestjs-nightshift/channels';
import { quoteName } from './names.js';

/** The client library is not installed. */
export class PgMissingError extends NightshiftError {
  readonly code = 'PG_MISSING';

  constructor(options?: ErrorOptions) {
    super('postgresEngine() needs the package pg, which is not installed. Run: npm install pg', options);
  }
}

/** graphile-worker is not installed, and its tables are wanted. */
export class GraphileWorkerMissingError extends NightshiftError {
  readonly code = 'GRAPHILE_WORKER_MISSING';

  constructor(options?: ErrorOptions) {
    super(
      'postgresEngine() makes the tables and functions of graphile-worker, which is not installed. Run: npm install ' +
        "graphile-worker (0.17.3 or newer; 0.18 needs Node 22.18). If nothing adds jobs with add_job(), say graphile: 'none' instead.",
      options,
    );
  }
}

/** The base of what goes wrong with a database. */
export abstract class PostgresStorageError extends NightshiftError {}

/** The server does not answer, or the connection to it was lost. */
export class PostgresUnreachableError extends PostgresStorageError {
  readonly code = 'POSTGRES_UNREACHABLE';

  constructor(
    readonly server: string,
    options?: ErrorOptions,
  ) {
    super(
      `There is no connection to PostgreSQL at ${server}, see \`cause\`. What was being stored may be stored or not. Check that ` +
        'the server runs and can be reached from here, and that it has connections left (max_connections).',
      options,
    );
  }
}

/** The server refuses the user, the password, or the way of connecting. */
export class PostgresAccessDeniedError extends PostgresStorageError {
  readonly code = 'POSTGRES_ACCESS_DENIED';

  constructor(
    readonly server: string,
    options?: ErrorOptions,
  ) {
    super(
      `PostgreSQL at ${server} refuses this user: check the name and the password in the \`connectionString\`, and ` +
        'pg_hba.conf of the server.',
      options,
    );
  }
}

/** There is no such database. */
export class PostgresDatabaseMissingError extends PostgresStorageError {
  readonly code = 'POSTGRES_DATABASE_MISSING';

  constructor(
    readonly server: string,
    options?: ErrorOptions,
  ) {
    super(`There is no such database at ${server}. Make it first: createdb NAME`, options);
  }
}

/** The user may not do what has to be done. */
export class PostgresPermissionError extends PostgresStorageError {
  readonly code = 'POSTGRES_NO_PERMISSION';

  constructor(
    readonly schema: string,
    options?: ErrorOptions,
  ) {
    super(
      `The user of the connection lacks a permission, see \`cause\`. To make the schema '${schema}' it needs ` +
        'GRANT CREATE ON DATABASE, once; then the schema is its own. Or start once as a user that may, and ' +
        `GRANT ALL ON SCHEMA, and on ALL TABLES, SEQUENCES and FUNCTIONS IN SCHEMA "${schema}", to the other.`,
      options,
    );
  }
}

/** The user may not take jobs out of the schema of graphile-worker. */
export class GraphilePermissionError extends PostgresStorageError {
  readonly code = 'GRAPHILE_NO_PERMISSION';

  /** @param roles who owns the tables and who is connected, when that is what is wrong */
  constructor(
    readonly schema: string,
    roles?: { readonly owner: string; readonly role: string },
    options?: ErrorOptions,
  ) {
    const grant = roles
      ? `GRANT ${quoteName(roles.owner)} TO ${quoteName(roles.role)}`
      : 'GRANT owner TO user';
    super(
      `The user of the connection may not take jobs out of the schema '${schema}' of graphile-worker` +
        `${options?.cause === undefined ? '' : ', see `cause`'}. Its tables have row level security, so permissions on them are ` +
        `not enough: the user has to own them, or be a member of who does, ${grant}. To make the schema it needs ` +
        "GRANT CREATE ON DATABASE, once. If nothing adds jobs with add_job(), say graphile: 'none' instead.",
      options,
    );
  }
}

/** The tables were made by a newer version of this package. */
export class PostgresNewerVersionError extends PostgresStorageError {
  readonly code = 'POSTGRES_NEWER_VERSION';

  constructor(
    readonly schema: string,
    readonly found: number,
    readonly known: number,
  ) {
    super(
      `The tables in the schema '${schema}' have version ${found}, and this release of nestjs-nightshift knows versions up to ` +
        `${known}. Start a release that is at least as new as the newest that has used the schema.`,
    );
  }
}

/** In the schema there is something of somebody else's under a name that the engine needs. */
export class PostgresSchemaTakenError extends PostgresStorageError {
  readonly code = 'POSTGRES_SCHEMA_TAKEN';

  constructor(
    readonly schema: string,
    what: string,
    options?: ErrorOptions,
  ) {
    super(
      `The schema '${schema}' has ${what}, which the engine has not made, and it needs that name itself. Nothing was changed. ` +
        "Give the engine a schema of its own: postgresEngine({ schema: 'background_work' }). It is made when it is not there.",
      options,
    );
  }
}

/** The server takes no writes: it is a standby, or set to read only. */
export class PostgresReadOnlyError extends PostgresStorageError {
  readonly code = 'POSTGRES_READ_ONLY';

  constructor(
    readonly server: string,
    options?: ErrorOptions,
  ) {
    super(`PostgreSQL at ${server} takes no writes. Connect to the primary, not to a standby.`, options);
  }
}

/** The database cannot keep every text. */
export class PostgresEncodingError extends PostgresStorageError {
  readonly code = 'POSTGRES_ENCODING';

  constructor(
    readonly server: string,
    readonly encoding: string,
  ) {
    super(
      `The database at ${server} has the encoding ${encoding}, which cannot keep every text. Use one that has UTF8: ` +
        'createdb --encoding=UTF8 --template=template0 NAME',
    );
  }
}

/** Transactions see less of each other than the engine counts on. */
export class PostgresIsolationError extends PostgresStorageError {
  readonly code = 'POSTGRES_ISOLATION';

  constructor(
    readonly server: string,
    readonly isolation: string,
    options?: ErrorOptions,
  ) {
    super(
      `Connections to PostgreSQL at ${server} begin their transactions as '${isolation}', under which more tasks of a ` +
        "`concurrencyKey` would run than may. The engine needs 'read committed'. Run: ALTER ROLE name SET " +
        "default_transaction_isolation = 'read committed'. Or give it a pool of its own, with the options " +
        "'-c default_transaction_isolation=read\\ committed'. Transactions that you give to enqueue() may be as they are.",
      options,
    );
  }
}

/** What was given as `transaction` cannot be used, or is of another database. */
export class PostgresTransactionError extends PostgresStorageError {
  readonly code = 'POSTGRES_TRANSACTION_UNUSABLE';

  constructor(why: string, options?: ErrorOptions) {
    super(
      `The task cannot join this transaction: ${why}. Give a client of pg on which you have begun it, or ` +
        '(text, values) => rows, which runs SQL in it: the guide on PostgreSQL has one for each ORM.',
      options,
    );
  }
}

/** The storage is closed, or was never opened. */
export class PostgresClosedError extends PostgresStorageError {
  readonly code = 'POSTGRES_CLOSED';

  constructor(readonly server: string) {
    super(`The engine at ${server} is closed: the application has stopped, or has not been started.`);
  }
}

const lostCodes: readonly unknown[] = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'EAI_AGAIN',
  '57P01', // the administrator has ended the connection
  '57P02',
  '57P03', // the server is starting
  '53300', // too many connections
];
/** What pg says without a code. */
const lostMessages =
  /connection terminated|connection error|timeout exceeded|read timeout|not queryable|client was closed/i;

export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code;
}

/** Whether there is no connection, so that the next call may find one. */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  if (typeof code === 'string' && (lostCodes.includes(code) || code.startsWith('08'))) return true;
  if (error instanceof AggregateError) return error.errors.some((each) => isLost(each));
  return code === undefined && error instanceof Error && lostMessages.test(error.message);
}

/** The error of the server in the words of this library; any other error as it is. */
export function explain(error: unknown, server: string, schema: string): unknown {
  const options = { cause: error };
  switch (codeOf(error)) {
    case '28P01':
    case '28000':
      return new PostgresAccessDeniedError(server, options);
    case '3D000':
      return new PostgresDatabaseMissingError(server, options);
    case '42501':
      return new PostgresPermissionError(schema, options);
    case '25006':
      return new PostgresReadOnlyError(server, options);
    default:
      return error;
  }
}

/** Why the outcome of a task was not stored. What cannot be converted, or is too large, is so the next time as well. */
export function explainOutcome(error: unknown, taskId: string): unknown {
  const code = codeOf(error);
  const isRefused = typeof code === 'string' && (/^22...$/.test(code) || code === '54000');
  return isRefused ? new UnstorableOutcomeError(taskId, { cause: error }) : error;
}
