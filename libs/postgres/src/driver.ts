import { GraphileWorkerMissingError, PgMissingError } from './errors.js';

/** What is used of a connection of `pg`: a client. */
export interface PostgresConnection {
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export interface PostgresClient {
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>;
  /** @param query `types` says how to read what comes */
  query(query: {
    readonly text: string;
    readonly values: readonly unknown[] | undefined;
    readonly types: { getTypeParser(type: number, format?: string): unknown };
  }): Promise<{ readonly rows: readonly unknown[] }>;
  /** How the application wants its own read. */
  getTypeParser?(type: number, format?: string): unknown;
  /** What it has made of the connection string and the environment. */
  readonly connectionParameters?: { readonly options?: string | undefined };
  release(error?: Error | boolean): void;
  on(event: 'notification', listener: (message: { channel: string; payload?: string }) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
}

/** What is used of a `pg.Pool`. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'connect' | 'remove', listener: (client: PostgresClient) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'connect' | 'remove', listener: (client: PostgresClient) => void): unknown;
}

interface PgModule {
  readonly default: {
    readonly Pool: new (options: Readonly<Record<string, unknown>>) => PostgresPool;
  };
}

interface GraphileModule {
  /** @param log makes what is called with each line */
  readonly Logger: new (log: () => (level: string, message: string) => void) => object;
  runMigrations(options: Readonly<Record<string, unknown>>): Promise<void>;
}

/**
 * Loads `pg` when it is first needed.
 *
 * @throws PgMissingError
 */
export async function loadPg(): Promise<PgModule['default']> {
  try {
    return ((await import(pg)) as PgModule).default;
  } catch (error) {
    throw new PgMissingError({ cause: error });
  }
}

/**
 * Loads `graphile-worker` when it is first needed.
 *
 * @throws GraphileWorkerMissingError
 */
export async function loadGraphileWorker(): Promise<GraphileModule> {
  try {
    return (await import(graphileWorker)) as GraphileModule;
  } catch (error) {
    throw new GraphileWorkerMissingError({ cause: error });
  }
}

// Names in variables: neither a compiler nor a bundler should want to find them.
const pg: string = 'pg';
const graphileWorker: string = 'graphile-worker';
