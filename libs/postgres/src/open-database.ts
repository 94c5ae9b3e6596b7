import { Database } from './database.js';
import { loadPg, type PostgresPool } from './driver.js';
import { PostgresEncodingError, PostgresIsolationError } from './errors.js';

export interface PostgresDatabaseOptions {
  readonly source: { readonly connectionString: string } | { readonly pool: PostgresPool };
  /** What to call the server in messages: without a password. */
  readonly server: string;
  readonly schema: string;
}

export interface OpenDatabase {
  readonly pool: PostgresPool;
  readonly database: Database;
}

/** Enough for one batch of each kind, what is looked up meanwhile, and the one that listens. */
const connections = 6;
/** After this long without an answer a connection is given up. */
const patienceMs = 60_000;
const connectPatienceMs = 10_000;

/** In text, as the server's `options` want a blank. */
const readCommitted = '-c default_transaction_isolation=read\\ committed';

interface Settings {
  readonly encoding: string;
  readonly isolation: string;
}

/**
 * Connects, and sees to it that the database keeps every text, and that transactions are what the functions of the schema
 * count on: each statement sees what others have committed before it, also while it waits for their locks.
 *
 * @throws PostgresEncodingError, PostgresIsolationError when it is otherwise
 */
export async function openDatabase(options: PostgresDatabaseOptions): Promise<OpenDatabase> {
  const { source, server } = options;
  const opened = await open(options);
  const { isolation } = await closingUnless(opened, async () =>
    expectEncoding(await settingsOf(opened), server),
  );
  if (isCommitted(isolation)) return opened;
  const given = await closingUnless(opened, () => startOptionsOf(opened));
  await opened.database.close();
  if ('pool' in source) throw new PostgresIsolationError(server, isolation);
  return openAsking(options, isolation, [given, readCommitted].filter(Boolean).join(' '));
}

/** Only now, for a pooler may refuse every connection that asks for something. */
async function openAsking(
  options: PostgresDatabaseOptions,
  isolation: string,
  startOptions: string,
): Promise<OpenDatabase> {
  const opened = await open(options, startOptions);
  try {
    const found = await settingsOf(opened);
    if (isCommitted(found.isolation)) return opened;
    throw new PostgresIsolationError(options.server, found.isolation); // a pooler has kept it to itself
  } catch (error) {
    await opened.database.close();
    if (error instanceof PostgresIsolationError) throw error;
    throw new PostgresIsolationError(options.server, isolation, { cause: error });
  }
}

async function open(
  { source, server, schema }: PostgresDatabaseOptions,
  startOptions?: string,
): Promise<OpenDatabase> {
  const isOurs = !('pool' in source);
  const pool = isOurs ? await openPool(source.connectionString, startOptions) : source.pool;
  return { pool, database: new Database(pool, server, schema, isOurs) };
}

async function openPool(connectionString: string, options: string | undefined): Promise<PostgresPool> {
  const { Pool } = await loadPg();
  return new Pool({
    connectionString: options === undefined ? connectionString : withOptions(connectionString, options),
    options,
    max: connections,
    application_name: 'nightshift',
    keepAlive: true,
    connectionTimeoutMillis: connectPatienceMs,
    query_timeout: patienceMs,
  });
}

/** Those of a URL overrule what stands beside it, and the last of several counts. `/socket database` has none. */
function withOptions(connectionString: string, options: string): string {
  if (connectionString.startsWith('/')) return connectionString;
  return `${connectionString}${connectionString.includes('?') ? '&' : '?'}options=${encodeURIComponent(options)}`;
}

async function settingsOf({ database }: OpenDatabase): Promise<Settings> {
  const [settings] = await database.query<Settings>(
    `SELECT current_setting('server_encoding') AS encoding,
       current_setting('default_transaction_isolation') AS isolation`,
  );
  return settings!;
}

function expectEncoding(settings: Settings, server: string): Settings {
  if (settings.encoding !== 'UTF8') throw new PostgresEncodingError(server, settings.encoding);
  return settings;
}

/** What the connections ask the server for at their start: by the connection string, or by PGOPTIONS. */
async function startOptionsOf({ database }: OpenDatabase): Promise<string | undefined> {
  const client = await database.connect();
  client.release();
  return client.connectionParameters?.options;
}

/** To PostgreSQL the two are the same. */
function isCommitted(isolation: string): boolean {
  return isolation === 'read committed' || isolation === 'read uncommitted';
}

async function closingUnless<R>({ database }: OpenDatabase, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    await database.close();
    throw error;
  }
}
