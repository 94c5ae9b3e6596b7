import { Client } from 'pg';
import type { Skipped } from './comparison.js';

const server = process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

export interface OwnDatabase {
  readonly url: string;
  /** Removes it. */
  close(): Promise<void>;
}

let opened = 0;

/** A new database of the benchmark's own, on a PostgreSQL that writes to disk before it answers. */
export async function openDatabase(): Promise<OwnDatabase | Skipped> {
  const client = new Client({ connectionString: server });
  const wrong = await whatIsWrong(client);
  if (wrong !== undefined) {
    await client.end().catch(() => {});
    return {
      skipped: `${wrong}. Set \`DATABASE_URL\` to a PostgreSQL where databases can be made, with its usual settings.`,
    };
  }
  const name = `nightshift_bench_${process.pid}_${(opened += 1)}`;
  await client.query(`CREATE DATABASE ${name}`);
  return {
    url: Object.assign(new URL(server), { pathname: `/${name}` }).href,
    async close() {
      await client.query(`DROP DATABASE ${name}`);
      await client.end();
    },
  };
}

async function whatIsWrong(client: Client): Promise<string | undefined> {
  try {
    await client.connect();
    for (const setting of ['fsync', 'synchronous_commit']) {
      const { rows } = await client.query(`SELECT current_setting($1) AS value`, [setting]);
      const { value } = rows[0] as { value: string };
      if (value !== 'on') return `PostgreSQL has \`${setting} = ${value}\` and needs \`on\``;
    }
    return undefined;
  } catch (error) {
    return `no PostgreSQL answers (${(error as Error).message})`;
  }
}
