import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { migrate } from '../../../libs/postgres/src/schema/migration.js';
import type { SharedEngine } from './apps/shared-engine.js';
import type { ClusterEngine, ClusterStore, StoreReport } from './cluster-store.js';

export const postgresCluster: ClusterEngine = {
  name: 'PostgreSQL',
  async createStore(url) {
    const store = new PostgresClusterStore(url);
    await store.keepLedger();
    return store;
  },
};

/** The database itself writes down each completion, within the transaction of whoever completes a task. */
class PostgresClusterStore implements ClusterStore {
  private readonly schema = `nightshift_test_${randomUUID().slice(0, 8)}`;

  constructor(private readonly url: string) {}

  engine(lease: string, connectionString = this.url): SharedEngine {
    const { schema } = this;
    const options = { connectionString, schema, lease: lease as '2s', maxInterruptions: 1_000 };
    return { kind: 'postgres', options: { ...options, graphile: 'none' } };
  }

  keepLedger(): Promise<unknown> {
    const { schema } = this;
    return this.withClient(async (client) => {
      await migrate(client, schema);
      await client.query(`
        CREATE TABLE ${schema}.ledger (task bigint NOT NULL);
        CREATE FUNCTION ${schema}.note_completion() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN INSERT INTO ${schema}.ledger VALUES (NEW.seq); RETURN NULL; END $$;
        CREATE TRIGGER ledger_entry AFTER UPDATE OF state ON ${schema}.tasks FOR EACH ROW
          WHEN (NEW.state = 'completed') EXECUTE FUNCTION ${schema}.note_completion()`);
    });
  }

  report(): Promise<StoreReport> {
    const { schema } = this;
    return this.withClient(async (client) => {
      const { rows } = await client.query<{ id: string; state: string; place: string; times: number }>(
        `SELECT seq || '-' || nonce AS id, state,
           concat_ws(' ', state, held, 'claim ' || claim, 'worker ' || worker,
             CASE WHEN worker IS NOT NULL AND worker NOT IN (SELECT id FROM ${schema}.workers) THEN '(gone)' END) AS place,
           (SELECT count(*)::int FROM ${schema}.ledger WHERE task = seq) AS times FROM ${schema}.tasks`,
      );
      const states: Record<string, number> = {};
      for (const { state } of rows) states[state] = (states[state] ?? 0) + 1;
      return {
        states,
        open: rows.flatMap(({ id, state, place }) => (state === 'completed' ? [] : `${id} ${place}`)),
        ids: new Set(rows.map(({ id }) => id)),
        completions: new Map(rows.flatMap(({ id, times }) => (times > 0 ? [[id, times]] : []))),
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.withClient((client) =>
      client.query(`SET client_min_messages = warning; DROP SCHEMA IF EXISTS ${this.schema} CASCADE`),
    );
  }

  private async withClient<R>(use: (client: Client) => Promise<R>): Promise<R> {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  }
}
