import type { SqliteConnection, SqliteStatement } from './driver.js';

/** A connection whose statements are prepared once, when they are first used. */
export class Database {
  private readonly statements = new Map<string, SqliteStatement>();

  constructor(readonly connection: SqliteConnection) {}

  sql(text: string): SqliteStatement {
    let statement = this.statements.get(text);
    if (statement === undefined) {
      statement = this.connection.prepare(text);
      this.statements.set(text, statement);
    }
    return statement;
  }

  /** Runs `work` inside a write transaction: all of it is done, or nothing. */
  transaction<R>(work: () => R): R {
    this.sql('BEGIN IMMEDIATE').run();
    try {
      const result = work();
      this.sql('COMMIT').run();
      return result;
    } catch (error) {
      rollBack(this.connection);
      throw error;
    }
  }
}

/** SQLite has done it by itself after some errors, and then says that there is nothing to roll back. */
export function rollBack(connection: SqliteConnection): void {
  try {
    connection.exec('ROLLBACK');
  } catch {
    // the error that led here is the one to tell
  }
}
