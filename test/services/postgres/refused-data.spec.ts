import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication } from './application.js';
import { postgres } from './postgres.js';

/** A database of the test's own. */
async function newDatabase(url: string, encoding: string): Promise<string> {
  const name = `nightshift_test_${randomUUID().slice(0, 8)}`;
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`CREATE DATABASE ${name} ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0`);
  onTestFinished(async () => {
    await client.query(`DROP DATABASE ${name}`);
    await client.end();
  }, 60_000);
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

await describeWithService(postgres, 'data that PostgreSQL does not take', (url) => {
  it('refuses a database that is not in UTF8', async () => {
    const encoding = 'LATIN1';
    const connectionString = await newDatabase(url, encoding);
    await expect(startApplication(newSchemas(url), { engine: { connectionString } })).rejects.toMatchObject({
      code: 'POSTGRES_ENCODING',
      encoding,
      message: expect.stringContaining('--encoding=UTF8') as unknown,
    });
  }, 60_000); // a server that is busy takes its time to make a database

  it.each([
    [
      'completes a task whose result it refuses, without it',
      'coal',
      ['completed', 'TASK_RESULT_LOST', 'task.resultLost'],
    ],
    [
      'ends a task whose error it refuses, without it',
      'stone',
      ['dead', 'UNSTORABLE_OUTCOME', 'engine.failed'],
    ],
  ])('%s', async (_, cake, end) => {
    const schemas = newSchemas(url);
    const { queue, admin, events, close } = await startApplication(schemas, {
      engine: { graphile: 'none' },
      handle: ({ cake }) => {
        if (cake === 'stone') throw new Error('stone is hard');
        return cake;
      },
    });
    await schemas.query(`CREATE FUNCTION ${schemas.name}.taste() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'it is no food' USING ERRCODE = '22P05'; END $$`);
    await schemas.query(`CREATE TRIGGER taste BEFORE UPDATE ON ${schemas.name}.tasks FOR EACH ROW
      WHEN (new.result LIKE '%coal%' OR new.error LIKE '%stone%') EXECUTE FUNCTION ${schemas.name}.taste()`);
    const retry = { maxAttempts: 1 };
    const task = await queue.enqueue(bake, { cake }, { retry });
    const reason = cake === 'stone' ? 'stone is hard' : 'but its result cannot be kept';
    await expect(task.result()).rejects.toThrow(reason);
    const { state, error } = (await admin.task('default', task.id))!;
    const told = events.filter(({ type }) => type === 'task.resultLost' || type === 'engine.failed');
    expect([state, error?.code, ...told.map(({ type }) => type)]).toEqual(end);
    await close();
  });
});
