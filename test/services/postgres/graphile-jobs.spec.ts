import { constant, defineTask } from 'nestjs-nightshift';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication, type ApplicationOptions } from './application.js';
import { postgres } from './postgres.js';

async function setup(url: string, options: ApplicationOptions = {}) {
  const schemas = newSchemas(url);
  const application = await startApplication(schemas, options);
  const addJob = (rest: string): Promise<unknown> =>
    schemas.query(`SELECT ${schemas.graphile}.add_job(${rest})`);
  const jobs = (): Promise<unknown[]> => schemas.query(`SELECT * FROM ${schemas.graphile}.jobs`);
  return { ...application, schemas, addJob, jobs };
}

await describeWithService(postgres, 'jobs of graphile-worker', (url) => {
  it('runs a job that names a definition, as a task with a record', async () => {
    const { addJob, jobs, admin } = await setup(url);
    await addJob(
      `'bake', '{"cake": "sponge"}', queue_name => 'oven', priority => 3, flags => ARRAY['sweet']`,
    );
    await expect
      .poll(async () => (await admin.searchTasks('default', { states: ['completed'] })).tasks)
      .toMatchObject([{ name: 'bake', priority: 3, concurrencyKey: 'oven', tags: ['sweet'] }]);
    expect(await jobs()).toEqual([]);
  });

  it('gives a job the keys and the priority that it says itself, and none of its definition', async () => {
    const definition = defineTask<{ cake: string }, string>('bake', {
      priority: 7,
      concurrencyKey: 'the oven',
      deduplicationKey: ({ cake }) => cake,
    });
    const { addJob, admin, completed } = await setup(url, { definition, queue: { capacity: 1 } });
    await addJob(`'bake', '{"cake": "sponge"}', queue_name => 'stove', priority => 3`);
    await addJob(`'bake', '{"cake": "sponge"}'`);
    await addJob(`'bake', '{"cake": "sponge"}'`);
    await expect.poll(completed).toBe(3);
    const { tasks } = await admin.searchTasks('default', { order: 'oldest' });
    expect(tasks.map(({ priority, concurrencyKey }) => [priority, concurrencyKey]).toSorted()).toEqual([
      [0, undefined],
      [0, undefined],
      [3, 'stove'],
    ]);
  });

  it('leaves a job alone that is not due, or that names nothing of ours', async () => {
    const { addJob, jobs, completed } = await setup(url);
    await addJob(`'bake', run_at => now() + interval '1 hour'`);
    await addJob(`'somebody-elses'`);
    await addJob(`'bake', '{"cake": "sponge"}'`);
    await expect.poll(completed).toBe(1);
    expect(await jobs()).toHaveLength(2);
  });

  it('runs a job when it falls due', async () => {
    const { addJob, completed } = await setup(url);
    await addJob(`'bake', '{"cake": "sponge"}', run_at => now() + interval '300 ms'`);
    await expect.poll(completed, { timeout: 5_000 }).toBe(1);
  });

  it('tries a job again by the policy of its definition, and as often as it says itself', async () => {
    const { addJob, admin } = await setup(url, {
      queue: { retry: { backoff: constant(1) } },
      handle: () => {
        throw new Error('burnt');
      },
    });
    await addJob(`'bake', '{"cake": "usual"}'`);
    await addJob(`'bake', '{"cake": "once"}', max_attempts => 1`);
    await expect
      .poll(async () => (await admin.searchTasks('default', { states: ['dead'] })).tasks, { timeout: 5_000 })
      .toHaveLength(2);
    const { tasks } = await admin.searchTasks('default', { states: ['dead'], order: 'oldest' });
    expect(tasks.map(({ attempt, maxAttempts }) => [attempt, maxAttempts])).toEqual([
      [2, 2],
      [1, 1],
    ]);
  });

  it('takes a job over once, however many look for it', async () => {
    const { addJob, completed, schemas } = await setup(url);
    const other = await startApplication(schemas);
    const added = Array.from({ length: 200 }, () => addJob(`'bake', '{"cake": "sponge"}'`));
    await Promise.all(added);
    await expect.poll(() => completed() + other.completed(), { timeout: 8_000 }).toBe(200);
    expect(await schemas.query(`SELECT 1 FROM ${schemas.name}.tasks`)).toHaveLength(200);
  });

  it('lets a job with the key of a waiting task take its place', async () => {
    const { addJob, queue, admin, completed } = await setup(url, { queue: { concurrency: 1 } });
    await queue.pause();
    await queue.enqueue(bake, { cake: 'old' }, { deduplicationKey: 'the cake' });
    await addJob(`'bake', '{"cake": "new"}', job_key => 'the cake'`);
    await queue.resume();
    await expect.poll(completed).toBe(1);
    const { tasks } = await admin.searchTasks('default', { order: 'oldest' });
    expect(tasks.map(({ state }) => state).toSorted()).toEqual(['completed', 'discarded']);
  });

  it('runs what is due beside a job that is never due', async () => {
    const { addJob, jobs, queue, completed } = await setup(url);
    await addJob(`'bake', run_at => 'infinity'`);
    await addJob(`'bake', '{"cake": "sponge"}'`);
    await expect.poll(completed).toBe(1);
    expect(await (await queue.enqueue(bake, { cake: 'tart' })).result()).toBe('tart, baked');
    expect(await jobs()).toHaveLength(1);
  });

  it('runs its own tasks when jobs cannot be taken over, says so once, and tries again', async () => {
    const { addJob, queue, completed, events, schemas } = await setup(url);
    const { graphile } = schemas;
    await schemas.query(`ALTER FUNCTION ${graphile}.complete_jobs(bigint[]) RENAME TO hidden`);
    await addJob(`'bake', '{"cake": "sponge"}'`);
    const failures = () => events.filter(({ type }) => type === 'engine.failed');
    await expect.poll(failures).toMatchObject([{ during: 'take over jobs', error: { code: '42883' } }]);
    for (const cake of ['tart', 'pie', 'roll'])
      expect(await (await queue.enqueue(bake, { cake })).result()).toBe(`${cake}, baked`);
    await schemas.query(`ALTER FUNCTION ${graphile}.hidden(bigint[]) RENAME TO complete_jobs`);
    await expect.poll(completed, { timeout: 8_000 }).toBe(4);
    expect(failures()).toHaveLength(1);
  }, 15_000);

  it('runs its own tasks while somebody has a job locked that is due', async () => {
    const { addJob, queue, completed, events, schemas } = await setup(url);
    await addJob(`'bake', '{"cake": "sponge"}', run_at => now() + interval '300 ms'`);
    const client = await schemas.pool.connect();
    onTestFinished(() => client.release());
    await client.query(
      `BEGIN; SELECT ${schemas.graphile}.reschedule_jobs(array_agg(id), priority => 1) FROM ${schemas.graphile}.jobs;
       SELECT pg_sleep(0.4)`,
    );
    for (const cake of ['tart', 'pie', 'roll'])
      expect(await (await queue.enqueue(bake, { cake })).result()).toBe(`${cake}, baked`);
    await client.query('ROLLBACK');
    await expect.poll(completed, { timeout: 8_000 }).toBe(4);
    expect(events.filter(({ type }) => type === 'engine.failed')).toEqual([]);
  }, 15_000);

  it('runs a job that nobody has said is due now', async () => {
    const { addJob, completed, schemas } = await setup(url);
    await addJob(`'bake', '{"cake": "sponge"}', job_key => 'later', run_at => now() + interval '1 hour'`);
    await addJob(`'bake', '{"cake": "tart"}'`);
    await expect.poll(completed).toBe(1);
    await schemas.query(
      `SELECT ${schemas.graphile}.reschedule_jobs(array_agg(id), run_at => now()) FROM ${schemas.graphile}.jobs`,
    );
    await expect.poll(completed, { timeout: 8_000 }).toBe(2);
  }, 15_000);
});
