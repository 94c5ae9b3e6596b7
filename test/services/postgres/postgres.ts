import { randomUUID } from 'node:crypto';
import { Client, Pool } from 'pg';
import type { Service } from '../service.js';

/** The server that the tests of the engine on PostgreSQL need. */
export const postgres: Service = {
  name: 'PostgreSQL',
  variable: 'DATABASE_URL',
  defaultUrl: 'postgres://postgres@127.0.0.1:5432/postgres',
  async check(url) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    try {
      await client.connect();
      await client.query('SELECT 1');
    } finally {
      await client.end().catch(() => {}); // which may never have begun
    }
  },
};

/** Drops what a process of its own made. */
export async function dropSchema(url: string, name: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`SET client_min_messages = warning; DROP SCHEMA IF EXISTS ${name} CASCADE`);
  await client.end();
}

/** Schemas of one test, and a way to look into them. Disposing of it drops them. */
export class Schemas implements AsyncDisposable {
  readonly name = `nightshift_test_${randomUUID().slice(0, 8)}`;
  readonly graphile = `${this.name}_gw`;
  readonly pool: Pool;

  constructor(readonly url: string) {
    this.pool = new Pool({ connectionString: url, max: 4 });
    this.pool.on('error', () => {}); // connections that a test ends
  }

  async query<R>(text: string, values: unknown[] = []): Promise<R[]> {
    return (await this.pool.query(text, values)).rows as R[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.query(`SET client_min_messages = warning; DROP SCHEMA IF EXISTS ${this.name} CASCADE;
      DROP SCHEMA IF EXISTS ${this.graphile} CASCADE`);
    await this.pool.end();
  }
}
