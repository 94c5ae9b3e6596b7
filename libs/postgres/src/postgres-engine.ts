import {
  OptionsReader,
  readStoreOptions,
  storedEngine,
  storeKeys,
  type BackgroundEngine,
  type EngineDependencies,
  type StoreOptions,
} from 'nestjs-nightshift';
import type { Duration } from 'nestjs-nightshift/channels';
import type { PostgresPool } from './driver.js';
import type { JobDestination, JobDestinations } from './graphile-jobs.js';
import { toPlain } from './names.js';
import type { PostgresStoreOptions } from './open-store.js';
import { PostgresStorage } from './postgres-storage.js';

type QueueOptions = Parameters<BackgroundEngine['createQueue']>[0];

/** With fewer, the one that listens and those that work would wait for each other. */
const fewestConnections = 4;

/** What {@link postgresEngine} takes: where the database is, by one of the first two. */
export interface PostgresEngineOptions extends StoreOptions {
  /** `postgres://user:password@host:5432/database`. The engine keeps up to six connections. */
  connectionString?: string | undefined;
  /**
   * A `pg.Pool` of the application, which ends it itself, after the application has stopped. One of its connections is kept to
   * listen, and up to five more are used: give it that many and what the application needs.
   */
  pool?: object | undefined;
  /**
   * The schema of the engine's tables and functions, which it makes. Engines with different ones know nothing of each other.
   * @default 'nightshift'
   */
  schema?: string | undefined;
  /**
   * The schema of graphile-worker, which is made when it is not there. Jobs that anybody adds to it, whose task identifier is
   * the name of a definition with a handler here, run here. `'none'`: there is none, and the package is not needed.
   * @default { schema: 'graphile_worker' }
   */
  graphile?: { schema?: string | undefined } | 'none' | undefined;
  /**
   * How often to look whether anything was heard of other processes, which costs nothing when nothing was. What this process
   * enqueues it begins at once.
   * @default '25ms'
   */
  pollInterval?: Duration | undefined;
}

const postgresDefaults = Object.freeze({
  schema: 'nightshift',
  graphileSchema: 'graphile_worker',
  pollIntervalMs: 25,
} as const);
/** PostgreSQL cuts longer names off, and then they are not what was said. */
const longestName = 63;

/**
 * Keeps tasks in a schema of a PostgreSQL database, for any number of processes on any number of machines. Enqueueing can join
 * a transaction of yours, whichever library has begun it. Give it to `forRoot({ engine })`, or to single queues.
 *
 * Needs the packages `pg`, and `graphile-worker` unless `graphile: 'none'`; and PostgreSQL 13 or newer.
 *
 * @example BackgroundModule.forRoot({ engine: postgresEngine({ connectionString: process.env.DATABASE_URL }) })
 * @throws InvalidOptionsError listing everything that is wrong
 */
export function postgresEngine(options: PostgresEngineOptions): BackgroundEngine {
  const check = new OptionsReader<PostgresEngineOptions>('postgresEngine', options, [
    ...storeKeys,
    'connectionString',
    'pool',
    'schema',
    'graphile',
  ]);
  const source = readSource(check);
  const schema = readName(check, 'schema', postgresDefaults.schema);
  const graphileSchema = readGraphile(check);
  const store = readStoreOptions(check as OptionsReader<StoreOptions>);
  const pollIntervalMs = check.has('pollInterval') ? store.pollIntervalMs : postgresDefaults.pollIntervalMs;
  check.finish();
  const destinations = new QueueDestinations();
  const server = 'pool' in source ? 'the server of the pool' : nameOf(source.connectionString);
  const storage = new PostgresStorage({ source, server, schema, graphileSchema, destinations });
  return new PostgresEngine(storedEngine({ ...store, pollIntervalMs, storage }), destinations);
}

/** The engine of a store, which in addition knows where the jobs of others belong. */
class PostgresEngine implements BackgroundEngine {
  readonly name;
  readonly capabilities;
  readonly occurrences;

  constructor(
    private readonly engine: BackgroundEngine,
    private readonly destinations: QueueDestinations,
  ) {
    this.name = engine.name;
    this.capabilities = engine.capabilities;
    this.occurrences = engine.occurrences;
  }

  open(dependencies: EngineDependencies): Promise<void> {
    this.destinations.begin(dependencies.handlers);
    return this.engine.open(dependencies);
  }

  createQueue(...[options, dependencies]: Parameters<BackgroundEngine['createQueue']>) {
    this.destinations.add(options);
    return this.engine.createQueue(options, dependencies);
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}

/** Jobs go to the queue that their definition names; if it names none, to the default queue, or to the first there is. */
class QueueDestinations implements JobDestinations {
  private queues: QueueOptions[] = [];
  private handlers: EngineDependencies['handlers'] | undefined;

  begin(handlers: EngineDependencies['handlers']): void {
    this.queues = [];
    this.handlers = handlers;
  }

  add(queue: QueueOptions): void {
    this.queues.push(queue);
  }

  of(queue: string): readonly JobDestination[] {
    const { handlers, queues } = this;
    const usual = (queues.find(({ name }) => name === 'default') ?? queues[0])?.name;
    const retry = queues.find(({ name }) => name === queue)?.retry;
    return (handlers?.names ?? []).flatMap((definition) => {
      const defined = handlers?.definition(definition);
      if ((defined?.queue ?? usual) !== queue) return [];
      return { definition, maxAttempts: defined?.defaults.retry?.maxAttempts ?? retry?.maxAttempts ?? 1 };
    });
  }
}

function readSource(check: OptionsReader<PostgresEngineOptions>): PostgresStoreOptions['source'] {
  if (check.has('pool') === check.has('connectionString'))
    check.problem('connectionString', 'given, or else `pool`: one of the two');
  const pool = check.value<object | undefined>(
    'pool',
    undefined,
    `a pg.Pool with a max of ${fewestConnections} or more`,
    isPool,
  );
  if (pool !== undefined) return { pool: pool as PostgresPool };
  return { connectionString: check.has('connectionString') ? check.text('connectionString') : '' };
}

function readGraphile(check: OptionsReader<PostgresEngineOptions>): string | undefined {
  const given = check.value<PostgresEngineOptions['graphile']>(
    'graphile',
    {},
    `{ schema } or 'none'; \`schema\` is ${aName}, and without a $ before any of $, &, \` and '`,
    (value) =>
      value === 'none' ||
      (typeof value === 'object' &&
        value !== null &&
        Object.entries(value).every(
          ([key, each]) => key === 'schema' && (each === undefined || isGraphileName(each)),
        )),
  );
  return given === 'none' ? undefined : (given?.schema ?? postgresDefaults.graphileSchema);
}

function readName(check: OptionsReader<PostgresEngineOptions>, key: 'schema', otherwise: string): string {
  return check.value(key, otherwise, aName, isName);
}

const aName = `a name of 1 to ${longestName} bytes that does not begin with pg_, and has neither $$ nor NUL in it`;

/** PostgreSQL keeps `pg_` for itself, and `$$` ends the body of a function. */
function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    Buffer.byteLength(value) <= longestName &&
    toPlain(value) === value &&
    !value.startsWith('pg_') &&
    !value.includes('$$')
  );
}

/** graphile-worker puts it where `String.replace()` takes such signs for something else. */
function isGraphileName(value: unknown): boolean {
  return isName(value) && !/\$[$&`']/.test(value);
}

function isPool(value: unknown): boolean {
  const { connect, totalCount, options } = (value ?? {}) as {
    connect?: unknown;
    totalCount?: unknown;
    options?: { max?: unknown };
  };
  const { max } = options ?? {};
  if (typeof max === 'number' && max < fewestConnections) return false;
  return typeof connect === 'function' && typeof totalCount === 'number';
}

/** Where it is, without the password. */
function nameOf(connectionString: string): string {
  try {
    const { host, pathname } = new URL(connectionString);
    return `${host}${pathname}`;
  } catch {
    return 'the server of the connectionString'; // which may be of another form
  }
}
