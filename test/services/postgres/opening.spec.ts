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

  it.each([
    ['another table `version`', 'CREATE TABLE $.version (version int); INSERT INTO $.version VALUES (3)'],
    ['another table `version` that is empty', 'CREATE TABLE $.version (major int)'],
    ['another table `tasks`', 'CREATE TABLE $.tasks (id int)'],
    ['a view `counts`', 'CREATE VIEW $.counts AS SELECT 1 AS one'],
    [
      'another function `look`',
      `CREATE FUNCTION $.look(bigint) RETURNS json LANGUAGE sql AS 'SELECT ''1''::json'`,
    ],
    ['a type `workers`', 'CREATE TYPE $.workers AS ENUM ()'],
  ])('refuses a schema that has %s, and changes nothing', async (_, statements) => {
    const schemas = newSchemas(url);
    await schemas.query(`CREATE SCHEMA ${schemas.name}`);
    await schemas.query(statements.replaceAll('$.', `${schemas.name}.`));
    const objects = (): Promise<unknown[]> =>
      schemas.query(
        `SELECT relname AS name FROM pg_class WHERE relnamespace = '${schemas.name}'::regnamespace
         UNION ALL SELECT prosrc FROM pg_proc WHERE pronamespace = '${schemas.name}'::regnamespace ORDER BY 1`,
      );
    const before = await objects();
    await expect(startApplication(schemas, { engine: { graphile: 'none' } })).rejects.toMatchObject({
      code: 'POSTGRES_SCHEMA_TAKEN',
      schema: schemas.name,
      message: expect.stringContaining('a schema of its own') as unknown,
    });
    expect(await objects()).toEqual(before);
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
