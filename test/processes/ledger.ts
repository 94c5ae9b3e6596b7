import type { SqliteConnection } from '../../libs/sqlite/src/driver.js';
import { loadDriver } from '../../libs/sqlite/src/driver.js';
import { openStore } from '../../libs/sqlite/src/open-store.js';

/** What the file itself says when all is over. */
export interface LedgerReport {
  readonly ids: ReadonlySet<string>;
  /** How many tasks are in which state. */
  readonly states: Readonly<Record<string, number>>;
  readonly completedTwice: number;
  readonly claims: number;
  readonly repeatedKeys: number;
  /** The most claims of a queue that lie within a stretch of time. */
  mostClaimsWithin(queue: string, ms: number): number;
  readonly faults: readonly string[];
}

/**
 * Lets the database itself write down, within the transactions of those that use it, each time that a task is claimed or
 * completes.
 */
export async function keepLedger(file: string): Promise<void> {
  (await openStore({ file, synchronous: 'full', patienceMs: 0 })).close();
  await withConnection(file, (connection) =>
    connection.exec(`
      CREATE TABLE ledger (task INTEGER NOT NULL, queue TEXT NOT NULL, state TEXT NOT NULL, at REAL NOT NULL);
      CREATE TRIGGER ledger_entry AFTER UPDATE OF state ON nightshift_tasks WHEN NEW.state IN ('active', 'completed')
      BEGIN
        INSERT INTO ledger VALUES (NEW.seq, NEW.queue, NEW.state, (julianday('now') - 2440587.5) * 86400000);
      END`),
  );
}

export function readLedger(file: string): Promise<LedgerReport> {
  return withConnection(file, (connection) => {
    const rows = <R>(sql: string): R[] => connection.prepare(sql).all() as R[];
    const count = (sql: string): number => rows<{ n: number }>(sql)[0]!.n;
    const claims = rows<{ queue: string; at: number }>(
      `SELECT queue, at FROM ledger WHERE state = 'active' ORDER BY at`,
    );
    return {
      ids: new Set(
        rows<{ id: string }>(`SELECT seq || '-' || nonce AS id FROM nightshift_tasks`).map(({ id }) => id),
      ),
      states: Object.fromEntries(
        rows<{ state: string; n: number }>(
          'SELECT state, count(*) AS n FROM nightshift_tasks GROUP BY state',
        ).map(({ state, n }) => [state, n]),
      ),
      completedTwice: count(
        `SELECT count(*) AS n FROM
           (SELECT 1 FROM ledger WHERE state = 'completed' GROUP BY task HAVING count(*) > 1)`,
      ),
      claims: claims.length,
      repeatedKeys: count(
        `SELECT count(*) AS n FROM
           (SELECT 1 FROM nightshift_tasks WHERE dedup_key IS NOT NULL GROUP BY queue, dedup_key HAVING count(*) > 1)`,
      ),
      mostClaimsWithin: (queue, ms) =>
        mostWithin(
          claims.flatMap((claim) => (claim.queue === queue ? claim.at : [])),
          ms,
        ),
      faults: faultsOf(connection),
    };
  });
}

/** What must hold of every file that nobody works on, whatever happened to it. */
function faultsOf(connection: SqliteConnection): string[] {
  const rows = <R>(sql: string): R[] => connection.prepare(sql).all() as R[];
  const damages = rows<{ integrity_check: string }>('PRAGMA integrity_check').map(
    ({ integrity_check: text }) => text,
  );
  const miscounts = rows<{ what: string }>(`
    SELECT queue || ' ' || state || ': ' || sum(kept) || ' kept, ' || sum(there) || ' there' AS what FROM
      (SELECT queue, state, tasks AS kept, 0 AS there FROM nightshift_counts
       UNION ALL SELECT queue, state, 0, count(*) FROM nightshift_tasks GROUP BY queue, state)
    GROUP BY queue, state HAVING sum(kept) <> sum(there)`).map(({ what }) => what);
  const strays = rows<{ what: string }>(`
    SELECT 'active without a worker: ' || seq AS what FROM nightshift_tasks
    WHERE state = 'active' AND worker NOT IN (SELECT id FROM nightshift_workers)`).map(({ what }) => what);
  return [...damages.filter((text) => text !== 'ok'), ...miscounts, ...strays];
}

async function withConnection<R>(file: string, use: (connection: SqliteConnection) => R): Promise<R> {
  const DatabaseSync = await loadDriver();
  const connection = new DatabaseSync(file, { timeout: 5_000 });
  try {
    return use(connection);
  } finally {
    connection.close();
  }
}

function mostWithin(times: readonly number[], ms: number): number {
  let most = 0;
  let first = 0;
  for (const [last, at] of times.entries()) {
    while (at - times[first]! >= ms) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
