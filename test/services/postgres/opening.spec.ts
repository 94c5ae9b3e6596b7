import { Pool } from 'pg';
import { postgresEngine } from 'nestjs-nightshift/postgres';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication } from './application.js';
import { postgres } from './postgres.js';

await describeWithService(postgres, 'opening the engine on PostgreSQL', (url) => {
  it('makes its tables once when several processes start at once', async () => {
    const schemas = newSchemas(url);
    const started = await Promise.all([1, 2, 3].map(() => startApplication(schemas)));
    const task = await started[0]!.queue.enqueue(bake, { cake: 'sponge' });
    expect(await task.result()).toBe('sponge, baked');
  }, 20_000);

  it('refuses tables of a newer release, and leaves them alone', async () => {
    const schemas = newSchemas(url);
    await (await startApplication(schemas)).close();
    await schemas.query(`UPDATE ${schemas.name}.version SET version = 99`);
    await expect(startApplication(schemas)).rejects.toMatchObject({
      code: 'POSTGRES_NEWER_VERSION',
      found: 99,
      schema: schemas.name,
    });
    expect(await schemas.query(`SELECT version FROM ${schemas.name}.version`)).toEqual([{ version: 99 }]);
  });

  it('says so when nothing listens there', async () => {
    const schemas = newSchemas(url);
    const engine = { connectionString: 'postgres://somebody:secret@127.0.0.1:1/nowhere' };
    const failure = await startApplication(schemas, { engine }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'POSTGRES_UNREACHABLE', server: '127.0.0.1:1/nowhere' });
    expect((failure as Error).message).not.toContain('secret');
  });

  it('says so when there is no such database', async () => {
    const connectionString = Object.assign(new URL(url), { pathname: '/nightshift_nowhere' }).href;
    await expect(startApplication(newSchemas(url), { engine: { connectionString } })).rejects.toMatchObject({
      code: 'POSTGRES_DATABASE_MISSING',
    });
  });

  it('says what to grant when the user may not make a schema', async () => {
    const schemas = newSchemas(url);
    const pool = new Pool({ connectionString: url, options: '-c role=pg_monitor' });
    onTestFinished(() => pool.end());
    await expect(startApplication(schemas, { engine: { pool } })).rejects.toMatchObject({
      code: 'POSTGRES_NO_PERMISSION',
      message: expect.stringContaining('GRANT CREATE ON DATABASE') as unknown,
    });
  });

  it('lacks only what no store can do', () => {
    const { lacks } = postgresEngine({ connectionString: url }).capabilities;
    expect(Object.keys(lacks).toSorted()).toEqual(['closures', 'retryFunctions', 'tryEnqueue']);
  });
});
