/** Where a server is, in the words of ioredis. */
export interface RedisServerOptions {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** A socket of this machine, in place of `host` and `port`. */
  readonly path?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly db?: number | undefined;
  /** `{}` for TLS with the usual certificates. */
  readonly tls?: object | undefined;
}

/** Where a server is, in the words of ioredis; whatever else its options know goes with it. */
export type RedisConnectionOptions =
  RedisServerOptions | (RedisServerOptions & Readonly<Record<string, unknown>>);

/** A client that exists already. It is not closed with the engine; `maxRetriesPerRequest` has to be `null`. */
export interface RedisClient {
  connect(...args: never[]): unknown;
  disconnect(...args: never[]): unknown;
  duplicate(...args: never[]): unknown;
}

/** What is wrong with a connection: what it would have to be, and what it is instead. */
export interface ConnectionProblem {
  readonly expected: string;
  readonly got: unknown;
}

const aUrl = "a URL that begins with redis:// or rediss://, such as 'redis://localhost:6379'";
const aDatabase = 'with the number of a database, 0 or more';

/** What can be seen to be wrong without asking the server. */
export function connectionProblems(connection: unknown): readonly ConnectionProblem[] {
  if (typeof connection === 'string') return urlProblems(connection);
  if (typeof connection !== 'object' || connection === null || Array.isArray(connection))
    return [{ expected: `${aUrl}, the options of a connection, or a client`, got: connection }];
  if (isClient(connection)) return clientProblems(connection as ClientInside);
  const { db, url } = connection as { db?: unknown; url?: unknown };
  return [...databaseProblems(db), ...(typeof url === 'string' ? urlProblems(url) : [])];
}

export function isClient(value: unknown): value is RedisClient {
  return ['connect', 'disconnect', 'duplicate'].every(
    (method) => typeof (value as Record<string, unknown>)[method] === 'function',
  );
}

/** What a client of ioredis tells of itself; those of others tell less. */
interface ClientInside {
  readonly status?: string;
  readonly options?: ServerFields & { readonly redisOptions?: ServerFields };
}

interface ServerFields {
  readonly maxRetriesPerRequest?: number | null;
  readonly keyPrefix?: string;
  readonly db?: unknown;
}

function clientProblems({ status, options }: ClientInside): ConnectionProblem[] {
  const { maxRetriesPerRequest, keyPrefix, db } = { ...options?.redisOptions, ...options };
  const problems = databaseProblems(db);
  if (typeof maxRetriesPerRequest === 'number')
    problems.push({
      expected: 'a client with `maxRetriesPerRequest: null`, which waits for a server that is away',
      got: maxRetriesPerRequest,
    });
  if (keyPrefix)
    problems.push({ expected: 'a client without a `keyPrefix`: say `prefix` instead', got: keyPrefix });
  if (status === 'end') problems.push({ expected: 'a client that has not been closed', got: status });
  return problems;
}

function databaseProblems(db: unknown): ConnectionProblem[] {
  return db === undefined || db === null || /^\d+$/.test(String(db))
    ? []
    : [{ expected: aDatabase, got: db }];
}

function urlProblems(url: string): ConnectionProblem[] {
  if (!/^rediss?:\/\//i.test(url) || !URL.canParse(url)) return [{ expected: aUrl, got: withoutUser(url) }];
  const { pathname, searchParams } = new URL(url);
  const database = pathname.slice(1) || (searchParams.get('db') ?? undefined);
  return databaseProblems(database).map(({ got }) => ({ expected: `a URL that ends ${aDatabase}`, got }));
}

/** A password could be in it. */
function withoutUser(url: string): string {
  return url.replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, '$1');
}
