import type { Duration } from 'nestjs-nightshift/channels';
import {
  readStoreOptions,
  OptionsReader,
  storedEngine,
  storeKeys,
  type BackgroundEngine,
  type StoreOptions,
} from 'nestjs-nightshift';
import { SqliteStorage } from './sqlite-storage.js';

/** What {@link sqliteEngine} takes. */
export interface SqliteEngineOptions extends StoreOptions {
  /**
   * The file, made when it is not there; its directory must be. It may be the application's own database: all tables begin
   * with `nightshift_`, and enqueueing can then join a transaction of yours. `':memory:'` keeps nothing, for tests. Not on a
   * network file system, where the locks of SQLite do not hold.
   */
  file: string;
  /**
   * What a stored task survives: with `'full'` a power cut, with `'normal'` the end of the process, while a power cut or a
   * crash of the system may take the last moments with it.
   * @default 'full'
   */
  synchronous?: 'full' | 'normal' | undefined;
  /**
   * Reads and writes the file in a thread of its own, so that the event loop never waits for the disk: for processes that
   * answer requests as well. A single task takes a little longer.
   * @default false
   */
  thread?: boolean | undefined;
  /**
   * How long to wait while somebody else writes to the file, before giving up with `SqliteBusyError`. Nothing else waits
   * meanwhile.
   * @default '10s'
   */
  busyTimeout?: Duration | undefined;
}

const sqliteDefaults = Object.freeze({ synchronous: 'full', thread: false, busyTimeoutMs: 10_000 } as const);

/**
 * Keeps tasks in one SQLite file, for any number of processes on one machine. Give it to `forRoot({ engine })`, or to single
 * queues.
 *
 * Needs Node 22.13 or newer, which brings SQLite, or the package `@photostructure/sqlite` (1.x for Node 20).
 *
 * @example BackgroundModule.forRoot({ engine: sqliteEngine({ file: 'tasks.db' }) })
 * @throws InvalidOptionsError listing everything that is wrong
 */
export function sqliteEngine(options: SqliteEngineOptions): BackgroundEngine {
  const check = new OptionsReader<SqliteEngineOptions>('sqliteEngine', options, [
    ...storeKeys,
    'file',
    'synchronous',
    'thread',
    'busyTimeout',
  ]);
  const file = check.text('file');
  const synchronous = check.oneOf('synchronous', sqliteDefaults.synchronous, ['full', 'normal']);
  const isThreaded = check.boolean('thread', sqliteDefaults.thread);
  const patienceMs = check.durationMs('busyTimeout', sqliteDefaults.busyTimeoutMs, 0);
  const store = readStoreOptions(check as OptionsReader<StoreOptions>);
  check.finish();
  return storedEngine({
    ...store,
    storage: new SqliteStorage({ file, synchronous, isThreaded, patienceMs }),
  });
}
