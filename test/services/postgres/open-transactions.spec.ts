import { EventEmitter, once } from 'node:events';
import type pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication, type ApplicationOptions } from './application.js';
import { postgres } from './postgres.js';

const cake = { cake: 'sponge' };

async function setup(url: string, options: ApplicationOptions = {}) {
  const schemas = newSchemas(url);
  const { queue, completed, events, admin } = await startApplication(schemas, options);
  const begin = async (): Promise<pg.PoolClient> => {
    const client = await schemas.pool.connect();
    let isOpen = true;
    await client.query('BEGIN');
    const end = client.query.bind(client);
    onTestFinished(async () => {
      if (isOpen) await end('ROLLBACK');
      client.release();
    });
    return Object.assign(client, {
      query: (...args: Parameters<typeof end>) => {
        if (args[0] === ('COMMIT' as never) || args[0] === ('ROLLBACK' as never)) isOpen = false;
        return end(...args);
      },
    });
  };
  return { queue, completed, events, admin, begin, schemas };
}

await describeWithService(postgres, 'a transaction that stays open, on PostgreSQL', (url) => {
  it.each([
    ['COMMIT', 'gets the handle of the first when it is committed'],
    ['ROLLBACK', 'has its own task when it is rolled back'],
  ])('holds up only those who add the same key, who after %s %s', async (end) => {
    const { queue, begin, completed } = await setup(url, { queue: { capacity: 1_000 } });
    const client = await begin();
    const options = { deduplicationKey: 'same' };
    const first = await queue.enqueue(bake, cake, { ...options, transaction: client });
    const waiting = queue.enqueue(bake, cake, options);
    const others = [{}, { deduplicationKey: 'another' }, {}].map((each) => queue.enqueue(bake, cake, each));
    await Promise.all(others);
    await expect.poll(completed).toBe(3);
    await client.query(end);
    const second = await waiting;
    expect(second.id === first.id).toBe(end === 'COMMIT');
    await expect.poll(completed).toBe(4);
  });

  it('that replaces a running task holds up nothing but the outcome of that task', async () => {
    const oven = new EventEmitter();
    const { queue, begin, completed, events, admin } = await setup(url, {
      handle: async ({ cake: name }, context) => {
        if (name !== 'slow') return name;
        await once(oven, 'watched');
        context.log('it rises');
        context.progress(50);
        await once(oven, 'done');
        return name;
      },
    });
    const key = 'the cake';
    const running = await queue.enqueue(bake, { cake: 'slow' }, { deduplicationKey: key });
    await expect.poll(() => queue.active).toBe(1);
    const client = await begin();
    const deduplicationKey = { key, onConflict: 'replace' } as const;
    await queue.enqueue(bake, cake, { deduplicationKey, transaction: client });
    oven.emit('watched');
    expect(await (await queue.enqueue(bake, cake)).result()).toBe('sponge');
    const log = async (): Promise<unknown> => (await admin.task('default', running.id))?.log;
    await expect.poll(log, { timeout: 5_000 }).toMatchObject([{ message: 'it rises' }]);
    oven.emit('done');
    for (let i = 1; i <= 5; i += 1) expect(await (await queue.enqueue(bake, cake)).result()).toBe('sponge');
    expect(await running.state()).toBe('active');
    await client.query('COMMIT');
    expect(await running.result()).toBe('slow');
    await expect.poll(completed).toBe(8);
    expect(events.filter(({ type }) => type === 'engine.failed')).toEqual([]);
  });
});
