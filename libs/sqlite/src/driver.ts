import { SqliteDriverMissingError } from './errors.js';

/** What comes in and goes out of SQLite here. */
export type SqliteValue = string | number | null;

/** A prepared statement, as `node:sqlite`, `@photostructure/sqlite` and `better-sqlite3` have it. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): {
    readonly changes: number | bigint;
    readonly lastInsertRowid: number | bigint;
  };
  get(...values: SqliteValue[]): unknown;
  all(...values: SqliteValue[]): unknown[];
}

/** A connection, as the same three have it. */
export interface SqliteConnection {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
  close(): void;
}

interface SqliteModule {
  readonly DatabaseSync: new (
    file: string,
    options: { readonly readOnly?: boolean; readonly timeout?: number },
  ) => SqliteConnection;
}

/** From this release on Node brings SQLite without being asked. */
const builtInFrom = [22, 13] as const;

/**
 * Opens connections. The driver is loaded when it is first needed: Node's own where there is one, else
 * `@photostructure/sqlite`, which has the same API.
 *
 * @throws SqliteDriverMissingError
 */
export async function loadDriver(): Promise<SqliteModule['DatabaseSync']> {
  if (hasBuiltIn(process.versions.node)) return ((await import(builtIn)) as SqliteModule).DatabaseSync;
  try {
    return ((await import(fallback)) as SqliteModule).DatabaseSync;
  } catch (error) {
    throw new SqliteDriverMissingError({ cause: error });
  }
}

/** @param version of Node: `'22.13.0'` */
export function hasBuiltIn(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > builtInFrom[0] || (major === builtInFrom[0] && minor >= builtInFrom[1]);
}

// Names in variables: neither a compiler nor a bundler should want to find both.
const builtIn: string = 'node:sqlite';
const fallback: string = '@photostructure/sqlite';
