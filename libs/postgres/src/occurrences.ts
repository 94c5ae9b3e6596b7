import type { WorkerId } from 'nestjs-nightshift';
import type { Database } from './database.js';
import { quoteName, toKey } from './names.js';

/** Which occurrences of services have been run: for each service the latest, and who runs it, if it has not ended. */
export class Occurrences {
  private readonly s: string;

  constructor(private readonly database: Database) {
    this.s = quoteName(database.schema);
  }

  async latest(service: string): Promise<number | undefined> {
    const [row] = await this.database.query<{ due_at: string }>(
      `SELECT due_at FROM ${this.s}.occurrences WHERE service = $1`,
      [toKey(service)],
    );
    return row && Number(row.due_at);
  }

  /** Also when it asks again, not having heard the answer. */
  async claim(service: string, dueAtMs: number, worker: WorkerId): Promise<boolean> {
    const rows = await this.database.query(
      `INSERT INTO ${this.s}.occurrences AS latest (service, due_at, worker) VALUES ($1, $2, $3)
       ON CONFLICT (service) DO UPDATE SET
         previous = CASE WHEN excluded.due_at > latest.due_at THEN latest.due_at ELSE latest.previous END,
         due_at = excluded.due_at, worker = excluded.worker
       WHERE excluded.due_at > latest.due_at OR (excluded.due_at = latest.due_at AND excluded.worker = latest.worker)
       RETURNING 1`,
      [toKey(service), Math.round(dueAtMs), worker],
    );
    return rows.length === 1;
  }

  async complete(service: string, dueAtMs: number, worker: WorkerId): Promise<void> {
    await this.database.query(
      `UPDATE ${this.s}.occurrences SET worker = NULL WHERE service = $1 AND due_at = $2 AND worker = $3`,
      [toKey(service), Math.round(dueAtMs), worker],
    );
  }

  async release(service: string, dueAtMs: number, worker: WorkerId): Promise<void> {
    await this.database.query(`SELECT ${this.s}.release_occurrences($1, $2, $3::bigint[])`, [
      toKey(service),
      Math.round(dueAtMs),
      [worker],
    ]);
  }
}
