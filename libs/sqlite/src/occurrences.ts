import type { Database } from './database.js';

interface Row {
  readonly due_at: number;
  readonly worker: number | null;
}

/** Which occurrences of services have been run: for each service the latest, and who runs it, if it has not ended. */
export class Occurrences {
  constructor(private readonly database: Database) {}

  latest(service: string): number | undefined {
    return this.row(service)?.due_at;
  }

  claim(service: string, dueAtMs: number, worker: number): boolean {
    const { changes } = this.database
      .sql(
        `INSERT INTO nightshift_occurrences (service, due_at, worker) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET previous = due_at, due_at = excluded.due_at, worker = excluded.worker
         WHERE excluded.due_at > due_at`,
      )
      .run(service, Math.round(dueAtMs), worker);
    return Number(changes) === 1;
  }

  complete(service: string, dueAtMs: number): void {
    this.database
      .sql('UPDATE nightshift_occurrences SET worker = NULL WHERE service = ? AND due_at = ?')
      .run(service, Math.round(dueAtMs));
  }

  /** It is nobody's again. */
  release(service: string, dueAtMs: number): void {
    const values = [service, Math.round(dueAtMs)] as const;
    this.database
      .sql(
        `UPDATE nightshift_occurrences SET worker = NULL, due_at = previous
         WHERE service = ? AND due_at = ? AND previous IS NOT NULL`,
      )
      .run(...values);
    this.database.sql('DELETE FROM nightshift_occurrences WHERE service = ? AND due_at = ?').run(...values);
  }

  private row(service: string): Row | undefined {
    return this.database
      .sql('SELECT due_at, worker FROM nightshift_occurrences WHERE service = ?')
      .get(service) as Row | undefined;
  }
}
