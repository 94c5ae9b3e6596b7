import type { Database } from './database.js';

interface Rate {
  readonly max: number;
  readonly perMs: number;
}

/** When attempts of rate-limited queues began, whichever process began them. */
export class StartRates {
  constructor(private readonly database: Database) {}

  /** How many more may begin now. */
  look(queue: string, { max, perMs }: Rate, nowMs: number): { readonly allowed: number } {
    // What lies far in the future was noted before the clock was set back, and would block the queue until then. What lies
    // a little ahead was noted by another process, whose turn to write came first, and counts.
    this.database
      .sql('DELETE FROM nightshift_starts WHERE queue = ? AND (at <= ? OR at > ?)')
      .run(queue, Math.floor(nowMs - perMs), Math.ceil(nowMs + perMs));
    const { begun } = this.database
      .sql('SELECT count(*) AS begun FROM nightshift_starts WHERE queue = ?')
      .get(queue) as { begun: number };
    return { allowed: Math.max(0, max - begun) };
  }

  note(queue: string, starts: number, nowMs: number): void {
    for (let i = 0; i < starts; i += 1)
      this.database.sql('INSERT INTO nightshift_starts VALUES (?, ?)').run(queue, Math.ceil(nowMs));
  }

  /** When the next may begin, of a queue that has begun as many as it may. */
  nextAt(queue: string, { perMs }: Rate): number | undefined {
    const { at } = this.database
      .sql('SELECT min(at) AS at FROM nightshift_starts WHERE queue = ?')
      .get(queue) as { at: number | null };
    return at === null ? undefined : at + perMs;
  }
}
