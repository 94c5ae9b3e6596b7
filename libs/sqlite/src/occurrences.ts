import type { WorkerId } from 'nestjs-nightshift';
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

  claim(service: string, dueAtMs: number, worker: WorkerId): boolean {
    const dueAt = Math.round(dueAtMs);
    // What a worker took that others have declared dead would be nobody's: they have given back all it had already.
    const isKnown =
      this.database.sql('SELECT 1 FROM nightshift_workers WHERE id = ?').get(worker) !== undefined;
    if (!isKnown) return false;
    const { changes } = this.database
      .sql(
        `INSERT INTO nightshift_occurrences (service, due_at, worker) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET previous = due_at, due_at = excluded.due_at, worker = excluded.worker
         WHERE excluded.due_at > due_at`,
      )
      .run(service, dueAt, worker);
    if (Number(changes) === 1) return true;
    const row = this.row(service);
    return row?.due_at === dueAt && row.worker === worker; // it asks again, not having heard the answer
  }

  complete(service: string, dueAtMs: number, worker: WorkerId): void {
    this.database
      .sql('UPDATE nightshift_occurrences SET worker = NULL WHERE service = ? AND due_at = ? AND worker = ?')
      .run(service, Math.round(dueAtMs), worker);
  }

  release(service: string, dueAtMs: number, worker: WorkerId): void {
    this.giveBack('service = ? AND due_at = ? AND worker = ?', service, Math.round(dueAtMs), worker);
  }

  /** @returns how many a worker had that has died */
  releaseAllOf(worker: WorkerId): number {
    return this.giveBack('worker = ?', worker);
  }

  /** How many times occurrences have been given back, ever: others listen for it. */
  get releases(): number {
    return (this.database.sql('SELECT releases FROM nightshift_schema').get() as { releases: number })
      .releases;
  }

  /** The one before is the latest again, as far as it is known. */
  private giveBack(which: string, ...values: (string | number)[]): number {
    const first = this.database
      .sql(`DELETE FROM nightshift_occurrences WHERE ${which} AND previous IS NULL`)
      .run(...values);
    const others = this.database
      .sql(`UPDATE nightshift_occurrences SET worker = NULL, due_at = previous WHERE ${which}`)
      .run(...values);
    const given = Number(first.changes) + Number(others.changes);
    if (given > 0) this.database.sql('UPDATE nightshift_schema SET releases = releases + 1').run();
    return given;
  }

  private row(service: string): Row | undefined {
    return this.database
      .sql('SELECT due_at, worker FROM nightshift_occurrences WHERE service = ?')
      .get(service) as Row | undefined;
  }
}
