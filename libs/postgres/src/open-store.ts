import type { TellFailure } from 'nestjs-nightshift';
import { CallLane } from './call-lane.js';
import { ChangeFeed } from './change-feed.js';
import { GraphileJobs, type JobDestinations } from './graphile-jobs.js';
import { prepareGraphileSchema } from './graphile-schema.js';
import { quoteName, toChannel } from './names.js';
import { Occurrences } from './occurrences.js';
import { openDatabase, type PostgresDatabaseOptions } from './open-database.js';
import { migrate } from './schema/migration.js';
import { TaskControl } from './task-control.js';
import { TaskInsertion } from './task-insertion.js';
import { TaskSearch } from './task-search.js';
import { TaskWork } from './task-work.js';
import { Workers } from './workers.js';

export interface PostgresStoreOptions extends PostgresDatabaseOptions {
  /** That of graphile-worker; `undefined` when it is not wanted. */
  readonly graphileSchema: string | undefined;
  /** Where jobs that others add belong. */
  readonly destinations: JobDestinations;
}

/**
 * Connects, and makes the tables or brings them up to date.
 *
 * @throws one of the errors of this library that says what is wrong
 */
export async function openStore(options: PostgresStoreOptions, tellFailure: TellFailure) {
  const { schema, graphileSchema, destinations } = options;
  const { pool, database } = await openDatabase(options);
  const feed = new ChangeFeed(database, toChannel(schema));
  try {
    await database.withConnection((connection) => migrate(connection, schema));
    if (graphileSchema !== undefined) await prepareGraphileSchema(database, pool, graphileSchema);
    await feed.listen();
  } catch (error) {
    await feed.close();
    await database.close();
    throw error;
  }
  const insertion = new TaskInsertion(database);
  const taskWork = new TaskWork(database);
  const insert = insertion.insert.bind(insertion);
  const insertions = new CallLane(insert);
  const lateInsertions = new CallLane(insert);
  const work = new CallLane(taskWork.run.bind(taskWork));
  return {
    s: quoteName(schema),
    database,
    feed,
    insertions,
    /** Of those that had to wait, so that no others wait along. */
    lateInsertions,
    work,
    jobs:
      graphileSchema === undefined
        ? undefined
        : new GraphileJobs(database, graphileSchema, feed, destinations, tellFailure),
    workers: new Workers(database),
    search: new TaskSearch(database),
    control: new TaskControl(database),
    occurrences: new Occurrences(database),
    /** Whatever has been called before is done first. */
    async close(): Promise<void> {
      await Promise.all([insertions, lateInsertions, work].map((lane) => lane.whenIdle()));
      await feed.close();
      await database.close();
    },
  };
}

export type OpenStore = Awaited<ReturnType<typeof openStore>>;
