import { randomUUID } from 'node:crypto';
import { Client, Pool } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication } from './application.js';
import { postgres, type Schemas } from './postgres.js';

const cake = { cake: 'sponge' };

/** Where every connection begins its transactions so, unless it asks for something else. */
async function setup(url: string, isolation: string): Promise<{ url: string; schemas: Schemas }> {
  const role = `nightshift_test_${randomUUID().slice(0, 8)}`;
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`CREATE ROLE ${role} SUPERUSER LOGIN;
    ALTER ROLE ${role} SET default_transaction_isolation = '${isolation}'`);
  onTestFinished(async () => {
    await client.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    await client.end();
  }, 20_000);
  return { url: Object.assign(new URL(url), { username: role }).href, schemas: newSchemas(url) };
}

await describeWithService(postgres, 'transactions of another isolation than the usual', (server) => {
  it.each(['repeatable read', 'serializable'])(
    'works in transactions of its own kind where the role says %s',
    async (isolation) => {
      const { url, schemas } = await setup(server, isolation);
      const engine = { connectionString: url, graphile: 'none' } as const;
      const { queue } = await startApplication(schemas, { engine });
      await schemas.query(`ALTER TABLE ${schemas.name}.tasks
        ADD COLUMN isolation text DEFAULT current_setting('transaction_isolation')`);
      expect(await (await queue.enqueue(bake, cake)).result()).toBe('sponge, baked');
      expect(await schemas.query(`SELECT isolation FROM ${schemas.name}.tasks`)).toEqual([
        { isolation: 'read committed' },
      ]);
    },
  );

  it('asks for what the connection string asks for as well', async () => {
    const { url, schemas } = await setup(server, 'serializable');
    const connectionString = `${url}?options=${encodeURIComponent('-c role=pg_monitor')}`;
    await expect(startApplication(schemas, { engine: { connectionString } })).rejects.toMatchObject({
      code: 'POSTGRES_NO_PERMISSION', // of the user itself: it may do everything
    });
  });

  it('refuses a pool whose transactions are so, and says what to do', async () => {
    const { url, schemas } = await setup(server, 'repeatable read');
    const pool = new Pool({ connectionString: url, max: 6 });
    onTestFinished(() => pool.end());
    await expect(startApplication(schemas, { engine: { pool } })).rejects.toMatchObject({
      code: 'POSTGRES_ISOLATION',
      isolation: 'repeatable read',
      message: expect.stringContaining('ALTER ROLE') as unknown,
    });
  });

  it('takes a pool that asks for what it needs', async () => {
    const { url, schemas } = await setup(server, 'repeatable read');
    const options = '-c default_transaction_isolation=read\\ committed';
    const pool = new Pool({ connectionString: url, max: 6, options });
    onTestFinished(() => pool.end());
    const { queue, close } = await startApplication(schemas, { engine: { pool, graphile: 'none' } });
    expect(await (await queue.enqueue(bake, cake)).result()).toBe('sponge, baked');
    await close();
  });

  it('joins a serializable transaction of the caller’s', async () => {
    const schemas = newSchemas(server);
    const { queue, completed } = await startApplication(schemas, { engine: { graphile: 'none' } });
    const client = await schemas.pool.connect();
    await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE');
    await queue.enqueue(bake, cake, { transaction: client, deduplicationKey: 'one' });
    await client.query('COMMIT');
    client.release();
    await expect.poll(completed).toBe(1);
  });
});
