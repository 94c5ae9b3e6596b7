import { Pool } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication } from './application.js';
import { postgres } from './postgres.js';

/** Schemas that another user has made, and a user with grants on some of them. */
async function setup(url: string) {
  const schemas = newSchemas(url);
  const { name, graphile } = schemas;
  await (await startApplication(schemas)).close();
  const user = `${name}_user`;
  await schemas.query(`CREATE ROLE ${user}`);
  onTestFinished(async () => {
    await schemas.query(`DROP OWNED BY ${user}; DROP ROLE ${user}`);
  });
  const grant = async (schema: string): Promise<void> => {
    await schemas.query(`GRANT ALL ON SCHEMA ${schema} TO ${user};
      GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO ${user};
      GRANT ALL ON ALL SEQUENCES IN SCHEMA ${schema} TO ${user};
      GRANT ALL ON ALL FUNCTIONS IN SCHEMA ${schema} TO ${user}`);
  };
  await grant(name);
  const pool = new Pool({ connectionString: url, options: `-c role=${user}` });
  onTestFinished(() => pool.end());
  const start = (engine = {}) => startApplication(schemas, { engine: { pool, ...engine } });
  const [owner] = await schemas.query<{ name: string }>('SELECT current_user AS name');
  return { schemas, graphile, user, owner: owner!.name, grant, start };
}

await describeWithService(postgres, 'a user who has not made the schema of graphile-worker', (url) => {
  it('is told which permission is missing when there is none', async () => {
    const { graphile, start } = await setup(url);
    await expect(start()).rejects.toMatchObject({
      code: 'GRAPHILE_NO_PERMISSION',
      schema: graphile,
      cause: { code: '42501' },
    });
  }, 20_000);

  it('is told that grants are not enough, since jobs could not be taken', async () => {
    const { graphile, user, owner, grant, start } = await setup(url);
    await grant(graphile);
    await expect(start()).rejects.toMatchObject({
      code: 'GRAPHILE_NO_PERMISSION',
      schema: graphile,
      message: expect.stringContaining(`GRANT "${owner}" TO "${user}"`) as unknown,
    });
  }, 20_000);

  it('starts when it wants no jobs', async () => {
    const { start } = await setup(url);
    const { queue } = await start({ graphile: 'none' });
    expect(await (await queue.enqueue(bake, { cake: 'sponge' })).result()).toBe('sponge, baked');
  }, 20_000);

  it.each([
    ['is a member of who has', ({ owner, user }: Names) => `GRANT "${owner}" TO ${user}`],
    [
      'is let past row level security',
      ({ graphile, user }: Names) =>
        ['jobs', 'tasks', 'job_queues']
          .map((each) => `CREATE POLICY ours ON ${graphile}._private_${each} TO ${user} USING (true)`)
          .join('; '),
    ],
  ])(
    'runs jobs when it %s',
    async (_, sql) => {
      const { schemas, graphile, start, grant, ...names } = await setup(url);
      await grant(graphile);
      await schemas.query(sql({ graphile, ...names }));
      const { completed } = await start();
      await schemas.query(`SELECT ${graphile}.add_job('bake', '{"cake": "sponge"}')`);
      await expect.poll(completed).toBe(1);
    },
    20_000,
  );

  it('hears of it once when it loses the permission later, while its own tasks run', async () => {
    const { schemas, graphile, user, grant, start } = await setup(url);
    await grant(graphile);
    await schemas.query(`ALTER TABLE ${graphile}._private_jobs DISABLE ROW LEVEL SECURITY`);
    const { queue, events } = await start();
    await schemas.query(`REVOKE ALL ON SCHEMA ${graphile} FROM ${user}`);
    await schemas.query(`SELECT ${graphile}.add_job('bake', '{"cake": "sponge"}')`);
    const failures = () => events.filter(({ type }) => type === 'engine.failed');
    await expect
      .poll(failures)
      .toMatchObject([
        { during: 'take over jobs', error: { code: 'GRAPHILE_NO_PERMISSION', schema: graphile } },
      ]);
    expect(await (await queue.enqueue(bake, { cake: 'sponge' })).result()).toBe('sponge, baked');
    expect(failures()).toHaveLength(1);
  }, 20_000);
});

interface Names {
  readonly graphile: string;
  readonly user: string;
  readonly owner: string;
}
