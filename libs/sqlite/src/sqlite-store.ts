import { ConcurrencyKeys } from './concurrency-keys.js';
import { Database } from './database.js';
import type { SqliteConnection } from './driver.js';
import { Occurrences } from './occurrences.js';
import { TaskClaims } from './task-claims.js';
import { TaskControl } from './task-control.js';
import { StateCounts } from './task-counts.js';
import { TaskInsertion } from './task-insertion.js';
import { TaskSearch } from './task-search.js';
import { TaskSettlement } from './task-settlement.js';
import { Workers } from './workers.js';

/** Everything that is done to the tables, by name: what a `StoreCall` can call. All of it is synchronous. */
export class SqliteStore {
  readonly writes;
  readonly reads;
  private readonly database: Database;
  private readonly counts: StateCounts;

  constructor(connection: SqliteConnection) {
    const database = new Database(connection);
    const counts = new StateCounts(database);
    const keys = new ConcurrencyKeys(database);
    const insertion = new TaskInsertion(database, counts);
    const claims = new TaskClaims(database, counts, keys);
    const settlement = new TaskSettlement(database, counts, keys);
    const control = new TaskControl(database, counts, keys);
    const occurrences = new Occurrences(database);
    const workers = new Workers(database, counts, keys, settlement, occurrences);
    const search = new TaskSearch(database);
    this.database = database;
    this.counts = counts;
    this.writes = {
      insert: insertion.insert.bind(insertion),
      claim: claims.claim.bind(claims),
      unpark: claims.unpark.bind(claims),
      settle: settlement.settle.bind(settlement),
      note: settlement.note.bind(settlement),
      register: workers.register.bind(workers),
      beat: workers.beat.bind(workers),
      recover: workers.recover.bind(workers),
      setPaused: (queue: string, isPaused: boolean): void =>
        void database
          .sql(
            'INSERT INTO nightshift_queues VALUES (?, ?) ON CONFLICT DO UPDATE SET paused = excluded.paused',
          )
          .run(queue, Number(isPaused)),
      cancel: control.cancel.bind(control),
      retry: control.retry.bind(control),
      remove: control.remove.bind(control),
      prune: control.prune.bind(control),
      claimOccurrence: occurrences.claim.bind(occurrences),
      completeOccurrence: occurrences.complete.bind(occurrences),
      releaseOccurrence: occurrences.release.bind(occurrences),
    } as const;
    this.reads = {
      look: workers.look.bind(workers),
      state: search.state.bind(search),
      ends: search.ends.bind(search),
      details: search.details.bind(search),
      search: search.search.bind(search),
      counts: counts.all.bind(counts),
      latestOccurrence: occurrences.latest.bind(occurrences),
    } as const;
  }

  /** Runs writes in one transaction: all of them are done, or none. */
  write<R>(work: () => R): R {
    try {
      return this.database.transaction(() => {
        const result = work();
        this.counts.write();
        return result;
      });
    } catch (error) {
      this.counts.forget();
      throw error;
    }
  }

  /** What is in the log goes into the file, so that the file alone is all there is: not every driver sees to it. */
  close(): void {
    const { connection } = this.database;
    try {
      connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // no room, or others are at work: what is in the log is safe there
    }
    connection.close();
  }
}

export type StoreWrites = SqliteStore['writes'];
export type StoreReads = SqliteStore['reads'];
