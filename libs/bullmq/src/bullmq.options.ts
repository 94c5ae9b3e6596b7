import type { Duration } from 'nestjs-nightshift/channels';
import {
  OptionsReader,
  readStoreOptions,
  storeKeys,
  type ResolvedStoreOptions,
  type StoreOptions,
} from 'nestjs-nightshift';
import {
  connectionProblems,
  isClient,
  type RedisClient,
  type RedisConnectionOptions,
} from './connection.options.js';
import { serverName } from './server-name.js';

/** What {@link bullmqEngine} takes. */
export interface BullmqEngineOptions extends StoreOptions {
  /** Where the server is: a URL such as `'redis://localhost:6379'`, what ioredis takes as options, or a client of yours. */
  connection: string | RedisConnectionOptions | RedisClient;
  /**
   * What all keys begin with, as in BullMQ. On a cluster it has to be in braces, so that all keys are in one place: `'{bull}'`.
   * @default 'bull'
   */
  prefix?: string | undefined;
  /**
   * How long to wait for a server that does not answer: at the start, which then fails, and in `enqueue()` and the like,
   * which then reject with `RedisUnreachableError`. A connection over which nothing is answered for so long is made anew, also
   * when it is yours.
   * @default '10s'
   */
  patience?: Duration | undefined;
}

export const bullmqDefaults = Object.freeze({ prefix: 'bull', patienceMs: 10_000 });

export interface ResolvedBullmqOptions extends ResolvedStoreOptions {
  /** What BullMQ takes. */
  readonly connection: unknown;
  /** Whether the connection is a client of the user's. */
  readonly isOwnClient: boolean;
  /** For messages. */
  readonly server: string;
  readonly prefix: string;
  readonly patienceMs: number;
}

const bullmqKeys = [
  ...storeKeys,
  'connection',
  'prefix',
  'patience',
] as const satisfies readonly (keyof BullmqEngineOptions)[];

/** @throws InvalidOptionsError listing everything that is wrong */
export function resolveBullmqOptions(options: BullmqEngineOptions): ResolvedBullmqOptions {
  const check = new OptionsReader<BullmqEngineOptions>('bullmqEngine', options, bullmqKeys);
  const connection = check.value<BullmqEngineOptions['connection']>('connection', '', '', () => true);
  for (const { expected, got } of connectionProblems(connection)) check.problem('connection', expected, got);
  const prefix = check.name('prefix', bullmqDefaults.prefix);
  const patienceMs = check.durationMs('patience', bullmqDefaults.patienceMs, 1);
  const store = readStoreOptions(check as OptionsReader<StoreOptions>);
  check.finish();
  const isOwnClient = isClient(connection);
  return Object.freeze({
    ...store,
    connection: isOwnClient ? connection : toConnection(connection as string | RedisConnectionOptions),
    isOwnClient,
    server: serverName(connection),
    prefix,
    patienceMs,
  });
}

/** After which a connection that gives no answer is made anew. A worker's is asked to wait for up to ten seconds. */
const silentForMs = 15_000;

function toConnection(connection: string | RedisConnectionOptions): object {
  const common = {
    maxRetriesPerRequest: null,
    socketTimeout: silentForMs,
    retryStrategy: (times: number): number => Math.min(50 * 2 ** Math.min(times, 6), 2_000),
  };
  return typeof connection === 'string'
    ? { ...common, url: connection }
    : { ...common, ...connection, maxRetriesPerRequest: null };
}
