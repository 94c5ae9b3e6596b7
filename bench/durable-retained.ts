import { loadDriver, type SqliteConnection } from '../libs/sqlite/src/driver.js';
import { inTurns, type Effort, type Repeatable, type Role, type Row } from './comparison.js';
import { startClock } from './durable-work.js';
import { atLeastTimes, type Goal } from './goal.js';
import type { OpenDurableQueue } from './open-durable-queue.js';

const retained = 1_000_000;
const amountOf = ({ scale }: Effort): number => 20_000 * scale;
/** Nothing of it is pruned. */
const retention = { completed: { age: 'infinite', count: 100 * retained } } as const;

/** Whether a store that has grown is slower to take tasks out of. */
export function retainedRow(): Row {
  const many = retained.toLocaleString('en');
  return inTurns(
    {
      id: 'durable-retained',
      title: `Durable tasks claimed and completed, beside ${many} that are kept`,
      how:
        `20,000 tasks wait, and then are claimed, run and completed at a concurrency of 100, in a file that keeps ${many} ` +
        'completed ones, against a file that keeps none; `synchronous` is `full`. How they got there is not counted.',
      unit: 'tasks/ms',
      better: 'higher',
    },
    [
      contender(`${many} completed tasks in the file`, 'ours', retained),
      contender('an empty file', 'reference', 0, atLeastTimes(0.9)),
    ],
  );
}

function contender(name: string, role: Role, kept: number, goal?: Goal): Repeatable {
  return {
    name,
    role,
    ...(goal && { goal }),
    async prepare(effort) {
      const { openDurableQueue } = await import('./open-durable-queue.js');
      const app = await openDurableQueue({}, retention);
      if (kept > 0) await fill(app, kept * effort.scale);
      const sample = async (): Promise<number> => {
        const { queue } = app;
        await queue.pause();
        await app.enqueueMany(amountOf(effort));
        const elapsedMs = startClock();
        await queue.resume();
        await queue.whenIdle();
        const figure = amountOf(effort) / elapsedMs();
        if (kept === 0) await onFile(app.file, forget);
        return figure;
      };
      return { sample, close: app.close };
    },
  };
}

/** Copies one completed task so many times. */
async function fill({ file, queue, enqueue }: OpenDurableQueue, amount: number): Promise<void> {
  await enqueue();
  await queue.whenIdle();
  await onFile(file, (connection) => {
    const columns = connection
      .prepare(`SELECT name FROM pragma_table_info('nightshift_tasks') WHERE name NOT IN ('seq', 'nonce')`)
      .all()
      .map((row) => (row as { name: string }).name)
      .join(', ');
    connection.exec(
      `INSERT INTO nightshift_tasks (nonce, ${columns})
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${amount})
         SELECT substr(hex(randomblob(6)), 1, 12), ${columns} FROM numbers, nightshift_tasks WHERE state = 'completed'`,
    );
    connection.exec(`UPDATE nightshift_counts SET tasks = tasks + ${amount} WHERE state = 'completed'`);
  });
}

function forget(connection: SqliteConnection): void {
  connection.exec('DELETE FROM nightshift_tasks');
  connection.exec('UPDATE nightshift_counts SET tasks = 0');
}

/** Does something in a transaction, on a connection beside the application's. */
async function onFile(file: string, work: (connection: SqliteConnection) => void): Promise<void> {
  const connection = new (await loadDriver())(file, { timeout: 5_000 });
  try {
    connection.exec('BEGIN IMMEDIATE');
    work(connection);
    connection.exec('COMMIT');
    connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    connection.close();
  }
}
