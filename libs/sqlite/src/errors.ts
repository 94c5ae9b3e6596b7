import { NightshiftError } from 'nestjs-nightshift/channels';

/** No SQLite is there to load. */
export class SqliteDriverMissingError extends NightshiftError {
  readonly code = 'SQLITE_DRIVER_MISSING';

  constructor(options?: ErrorOptions) {
    super(
      `Node ${process.versions.node} brings no SQLite (node:sqlite is there from 22.13), and the package @photostructure/sqlite ` +
        'is not installed. Run: npm install @photostructure/sqlite@1',
      options,
    );
  }
}

/** The base of what goes wrong with a database file. */
export abstract class SqliteStorageError extends NightshiftError {
  constructor(
    readonly file: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Somebody else has been writing to the file for so long that this process gave up waiting for its turn. */
export class SqliteBusyError extends SqliteStorageError {
  readonly code = 'SQLITE_FILE_BUSY';

  constructor(file: string, waitedMs: number, options?: ErrorOptions) {
    super(
      file,
      `'${file}' has been locked for ${waitedMs} ms by another connection with an open write transaction. Nothing was stored. ` +
        'Look for a transaction that is left open, in this process or another; SQLite lets one write at a time.',
      options,
    );
  }
}

/** The file, or its directory, cannot be written. */
export class SqliteReadOnlyError extends SqliteStorageError {
  readonly code = 'SQLITE_FILE_READ_ONLY';

  constructor(file: string, options?: ErrorOptions) {
    super(
      file,
      `'${file}' cannot be written, so no task can be kept in it. The process needs write permission for the file and for its ` +
        'directory, where SQLite keeps the -wal and -shm files beside it.',
      options,
    );
  }
}

/** The disk, or the quota, is used up. */
export class SqliteFullError extends SqliteStorageError {
  readonly code = 'SQLITE_DISK_FULL';

  constructor(file: string, options?: ErrorOptions) {
    super(
      file,
      `There is no room left to write to '${file}'. Nothing was stored. What is in the file is safe: free some space, or ` +
        'lower the `retention` of the queues.',
      options,
    );
  }
}

/** The file is damaged, or is no SQLite database. */
export class SqliteCorruptError extends SqliteStorageError {
  readonly code = 'SQLITE_FILE_CORRUPT';

  constructor(file: string, options?: ErrorOptions) {
    super(
      file,
      `'${file}' is damaged, or is not a SQLite database. Restore it from a backup, or move it and its -wal and -shm files away ` +
        'to begin with an empty one; `sqlite3 FILE .recover` may get back what was in it.',
      options,
    );
  }
}

/** The file cannot be opened at all. */
export class SqliteOpenError extends SqliteStorageError {
  readonly code = 'SQLITE_FILE_NOT_OPENED';

  constructor(file: string, options?: ErrorOptions) {
    super(
      file,
      `'${file}' cannot be opened. Its directory has to exist, and not to be on a network file system.`,
      options,
    );
  }
}

/** Reading or writing failed below SQLite. */
export class SqliteIoError extends SqliteStorageError {
  readonly code = 'SQLITE_IO_FAILED';

  constructor(file: string, options?: ErrorOptions) {
    super(
      file,
      `Reading or writing '${file}' failed, see \`cause\`. What was being stored may be stored or not.`,
      options,
    );
  }
}

/** The tables in the file were made by a newer version of this package. */
export class SqliteNewerVersionError extends SqliteStorageError {
  readonly code = 'SQLITE_NEWER_VERSION';

  constructor(
    file: string,
    readonly found: number,
    readonly known: number,
  ) {
    super(
      file,
      `The tables in '${file}' have version ${found}, and this release of nestjs-nightshift knows versions up to ${known}. ` +
        'Start a release that is at least as new as the newest that has opened the file.',
    );
  }
}

/** There are no tables of an engine in the file, or those of an older release, and whoever only looks makes none. */
export class SqliteNoTasksError extends SqliteStorageError {
  readonly code = 'SQLITE_NO_TASKS';

  constructor(
    file: string,
    /** Of its tables; 0 when there are none. */
    readonly found: number,
  ) {
    const what = found === 0 ? 'There are no tasks' : `The tables of an older release (version ${found}) are`;
    super(
      file,
      `${what} in '${file}'. An application with sqliteEngine({ file }) makes the tables, or brings them up to date, when it starts.`,
    );
  }
}

/** What was given as `transaction` cannot be used, or is of another file. */
export class SqliteTransactionError extends SqliteStorageError {
  readonly code = 'SQLITE_TRANSACTION_UNUSABLE';

  constructor(file: string, why: string, options?: ErrorOptions) {
    super(
      file,
      `The task cannot join this transaction: ${why}. Give the connection on which you have begun it (of node:sqlite, ` +
        `@photostructure/sqlite or better-sqlite3), opened on the engine's own file, '${file}'.`,
      options,
    );
  }
}

/** The storage is closed, or was never opened. */
export class SqliteClosedError extends SqliteStorageError {
  readonly code = 'SQLITE_CLOSED';

  constructor(file: string) {
    super(file, `The engine on '${file}' is closed: the application has stopped, or has not been started.`);
  }
}

/** The thread that the storage ran in has ended. */
export class SqliteThreadError extends SqliteStorageError {
  readonly code = 'SQLITE_THREAD_ENDED';

  constructor(file: string, options?: ErrorOptions) {
    super(file, `The thread that reads and writes '${file}' has ended: see \`cause\`.`, options);
  }
}

/** Result codes of SQLite, by the lowest byte: https://sqlite.org/rescode.html */
const sqliteCodes = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notDatabase: 26,
};

/** What SQLite says of itself: the drivers agree on the number, and not on its name. */
export function sqliteCodeOf(error: unknown): number | undefined {
  const { errcode, code, message, sqliteExtendedCode, sqliteCode } = (error ?? {}) as Record<string, unknown>;
  const found = [errcode, sqliteExtendedCode, sqliteCode].find((each) => typeof each === 'number');
  if (found !== undefined) return (found as number) & 0xff;
  if (typeof code !== 'string') return undefined;
  // @photostructure/sqlite gives no number with what `all()` throws, and SQLite's own words do not change.
  if (code === 'ERR_SQLITE_ERROR') return saidCodes.find(([words]) => words === message)?.[1];
  return namedCodes.find(([name]) => code.startsWith(name))?.[1];
}

const saidCodes: readonly (readonly [words: string, code: number])[] = [
  ['database is locked', sqliteCodes.busy],
  ['database table is locked', sqliteCodes.locked],
  ['attempt to write a readonly database', sqliteCodes.readOnly],
  ['disk I/O error', sqliteCodes.io],
  ['database disk image is malformed', sqliteCodes.corrupt],
  ['database or disk is full', sqliteCodes.full],
  ['unable to open database file', sqliteCodes.cantOpen],
  ['file is not a database', sqliteCodes.notDatabase],
];

const namedCodes: readonly (readonly [name: string, code: number])[] = [
  ['SQLITE_BUSY', sqliteCodes.busy],
  ['SQLITE_LOCKED', sqliteCodes.locked],
  ['SQLITE_READONLY', sqliteCodes.readOnly],
  ['SQLITE_IOERR', sqliteCodes.io],
  ['SQLITE_CORRUPT', sqliteCodes.corrupt],
  ['SQLITE_FULL', sqliteCodes.full],
  ['SQLITE_CANTOPEN', sqliteCodes.cantOpen],
  ['SQLITE_NOTADB', sqliteCodes.notDatabase],
];

/** Whether it is somebody else's turn to write. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCodeOf(error);
  return code === sqliteCodes.busy || code === sqliteCodes.locked;
}

/** The error of a driver in the words of this library; any other error as it is. */
export function explain(error: unknown, file: string): unknown {
  const options = { cause: error };
  switch (sqliteCodeOf(error)) {
    case sqliteCodes.readOnly:
      return new SqliteReadOnlyError(file, options);
    case sqliteCodes.io:
      return new SqliteIoError(file, options);
    case sqliteCodes.corrupt:
    case sqliteCodes.notDatabase:
      return new SqliteCorruptError(file, options);
    case sqliteCodes.full:
      return new SqliteFullError(file, options);
    case sqliteCodes.cantOpen:
      return new SqliteOpenError(file, options);
    default:
      return error;
  }
}
