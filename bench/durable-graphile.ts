import { Logger, makeWorkerUtils, run, type AddJobsJobSpec } from 'graphile-worker';
import { Pool } from 'pg';
import type { Skipped } from './comparison.js';
import { callers, payload } from './durable-work.js';
import { openDatabase } from './own-database.js';

export interface OpenGraphile {
  enqueue(): Promise<unknown>;
  /** All in one call. */
  enqueueMany(amount: number): Promise<unknown>;
  /** Removes everything that waits. */
  clear(): Promise<unknown>;
  /** Resolves when so many have run, and all are completed in the database. */
  workOff(amount: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * graphile-worker in a database of its own, on a PostgreSQL that writes to disk before it answers. A schema would not do:
 * making one tells every worker of the same database that a migration breaks it, and they stop.
 */
export async function openGraphile(hasWorker: boolean): Promise<OpenGraphile | Skipped> {
  const database = await openDatabase();
  if ('skipped' in database) return database;
  const pool = connect(database.url);
  const preset: GraphileConfig.Preset = {
    worker: {
      concurrentJobs: callers,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  };
  const logger = new Logger(() => () => {});
  const utils = await makeWorkerUtils({ pgPool: pool, preset, logger });
  await utils.migrate();
  let onRun: (() => void) | undefined;
  const taskList = { resize: async () => onRun?.() };
  const runner = hasWorker
    ? await run({ pgPool: pool, preset, logger, taskList, noHandleSignals: true })
    : undefined;
  const spec: AddJobsJobSpec = { identifier: 'resize', payload };
  return {
    enqueue: () => utils.addJob('resize', payload),
    enqueueMany: (amount) => utils.addJobs(Array.from({ length: amount }, () => spec)),
    clear: () => pool.query(`TRUNCATE graphile_worker._private_jobs`),
    async workOff(amount) {
      await new Promise<void>((resolve) => {
        let left = amount;
        onRun = () => {
          left -= 1;
          if (left === 0) resolve();
        };
      });
      // Its event of a completed job comes before the job is completed in the database, where it is deleted then.
      while ((await pool.query(`SELECT 1 FROM graphile_worker._private_jobs LIMIT 1`)).rows.length > 0);
    },
    async close() {
      await runner?.stop();
      await utils.release();
      await pool.end();
      await database.close();
    },
  };
}

function connect(connectionString: string): Pool {
  const pool = new Pool({ connectionString, max: 30 }); // its workers share what the local queue fetches
  // As it asks for: a connection that breaks is no reason to end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => void client.on('error', () => {}));
  return pool;
}
