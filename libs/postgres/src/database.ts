import { explain, isLost, PostgresClosedError, PostgresUnreachableError } from './errors.js';
import { withOwnParsers } from './own-parsers.js';
import type { PostgresClient, PostgresConnection, PostgresPool } from './driver.js';
import { toleratePoolErrors } from './pool-errors.js';

/**
 * The connections of one engine. Says what goes wrong in the words of this library; while the server cannot be reached, every
 * call rejects with one and the same error, so that an outage is one error and not many.
 */
export class Database {
  private outage: PostgresUnreachableError | undefined;
  private isClosed = false;
  private readonly stopTolerating: () => void;

  /** @param isOurs whether the pool ends with this */
  constructor(
    private readonly pool: PostgresPool,
    readonly server: string,
    readonly schema: string,
    private readonly isOurs: boolean,
  ) {
    this.stopTolerating = toleratePoolErrors(pool);
  }

  get closed(): boolean {
    return this.isClosed;
  }

  /** @returns the rows */
  async query<R>(text: string, values: readonly unknown[] = []): Promise<readonly R[]> {
    return this.withConnection(async (connection) => (await connection.query(text, values)).rows as R[]);
  }

  /** Runs statements in one transaction: all of them are done, or none. */
  transaction<R>(work: (connection: PostgresConnection) => Promise<R>): Promise<R> {
    return this.withConnection(async (connection) => {
      await connection.query('BEGIN');
      try {
        const result = await work(connection);
        await connection.query('COMMIT');
        return result;
      } catch (error) {
        if (!isLost(error)) await connection.query('ROLLBACK');
        throw error;
      }
    });
  }

  /** Runs work that no other process does at the same time, on whatever connections. */
  alone<R>(what: string, work: () => Promise<R>): Promise<R> {
    return this.transaction(async (connection) => {
      await connection.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`nightshift ${what}`]);
      return work();
    });
  }

  async withConnection<R>(work: (connection: PostgresConnection) => Promise<R>): Promise<R> {
    const client = await this.connect();
    client.on('error', ignore); // the statement that is under way rejects with it
    try {
      const result = await work(withOwnParsers(client));
      this.outage = undefined;
      client.release();
      return result;
    } catch (error) {
      client.release(isLost(error)); // and does not come back, if it is lost
      throw this.told(error);
    } finally {
      client.off('error', ignore);
    }
  }

  /** A connection to keep. Whoever has it releases it. */
  async connect(): Promise<PostgresClient> {
    if (this.isClosed) throw new PostgresClosedError(this.server);
    try {
      return await this.pool.connect();
    } catch (error) {
      throw this.told(error);
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    if (this.isOurs) await this.pool.end();
    else this.stopTolerating();
  }

  private told(error: unknown): unknown {
    if (!isLost(error)) return explain(error, this.server, this.schema);
    this.outage ??= new PostgresUnreachableError(this.server, { cause: error });
    return this.outage;
  }
}

function ignore(): void {}
