import { Client } from 'pg';
import type { Skipped } from '../comparison.js';
import { findPostgresPrograms, PostgresServer } from '../postgres-server.js';
import { cpuOf, statOf } from './process-cpu.js';
import type { ServerReading, SharedStore } from './shared-store.js';

/** For 64 workers with 6 each, the producer, and whoever looks on. */
const mostConnections = 420;

export async function openPostgresStore(): Promise<SharedStore | Skipped> {
  const programs = await findPostgresPrograms();
  if (programs === undefined)
    return {
      skipped:
        'there is no `initdb` and `postgres` to start a server with. Install PostgreSQL, or say in `NIGHTSHIFT_POSTGRES_BIN` in which directory they are.',
    };
  const server = await PostgresServer.open(programs, mostConnections);
  const client = new Client({ connectionString: server.url });
  await client.connect();
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid, version()');
  const [{ pid, version }] = rows as [{ pid: number; version: string }];
  const postmaster = (await statOf(pid))?.parent;
  return new PostgresStore(server, client, postmaster, version.split(' ', 2).join(' '));
}

class PostgresStore implements SharedStore {
  readonly name = 'PostgreSQL';
  readonly setup: string;
  readonly mostWorkers = 64;
  readonly mostPerSecond = 3_000;
  private opened = 0;

  constructor(
    private readonly server: PostgresServer,
    private readonly client: Client,
    private readonly postmaster: number | undefined,
    version: string,
  ) {
    this.setup = `${version} with its usual settings, but \`max_connections = ${mostConnections}\`; up to 6 connections for each worker, as the engine opens them by itself.`;
  }

  async empty() {
    if (this.opened > 0) await this.client.query(`DROP DATABASE scale_${this.opened} WITH (FORCE)`);
    const name = `scale_${(this.opened += 1)}`;
    await this.client.query(`CREATE DATABASE ${name}`);
    return {
      kind: 'postgres',
      url: Object.assign(new URL(this.server.url), { pathname: `/${name}` }).href,
    } as const;
  }

  async read(): Promise<ServerReading> {
    const { rows } = await this.client.query(
      `SELECT (SELECT count(*)::int FROM pg_stat_activity WHERE datname = $1) AS connections,
         (SELECT deadlocks::int FROM pg_stat_database WHERE datname = $1) AS deadlocks`,
      [`scale_${this.opened}`],
    );
    const [{ connections, deadlocks }] = rows as [{ connections: number; deadlocks: number }];
    const { postmaster } = this;
    return {
      cpuMs: postmaster === undefined ? undefined : await cpuOf(postmaster),
      commands: undefined,
      connections,
      deadlocks,
    };
  }

  async countWaiting(): Promise<number> {
    const { rows } = await this.client.query(
      `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`,
      [`scale_${this.opened}`],
    );
    return (rows as [{ waiting: number }])[0].waiting;
  }

  async close(): Promise<void> {
    await this.client.end();
    await this.server[Symbol.asyncDispose]();
  }
}
