import type { Database } from './database.js';

/** Which tasks of a concurrency key may run. Those that may not are held, and released one by one as others end. */
export class ConcurrencyKeys {
  constructor(private readonly database: Database) {}

  hasRoom(queue: string, key: string, limit: number): boolean {
    const { running } = this.database
      .sql(
        `SELECT count(*) AS running FROM nightshift_tasks WHERE queue = ? AND concurrency_key = ? AND state = 'active'`,
      )
      .get(queue, key) as { running: number };
    return running < limit;
  }

  /** Something of the key has ended, or has gone without running: the next one may come up. */
  release(queue: string, key: string): void {
    this.database
      .sql(
        `UPDATE nightshift_tasks SET held = NULL WHERE seq = (
           SELECT seq FROM nightshift_tasks WHERE queue = ? AND held = 'concurrencyKey' AND concurrency_key = ?
           ORDER BY priority, rank, seq LIMIT 1)`,
      )
      .run(queue, key);
  }

  /** Releases one of each key that has any held, and room. One too many is held again when it comes up. */
  releaseAll(): void {
    const keys = this.database
      .sql(
        `SELECT queue, concurrency_key AS key FROM nightshift_tasks t WHERE held = 'concurrencyKey'
         GROUP BY queue, concurrency_key
         HAVING max(concurrency_limit) > (SELECT count(*) FROM nightshift_tasks a
           WHERE a.queue = t.queue AND a.concurrency_key = t.concurrency_key AND a.state = 'active')
         LIMIT 1000`,
      )
      .all() as { queue: string; key: string }[];
    for (const { queue, key } of keys) this.release(queue, key);
  }
}
