import { defineTask, TaskHandler } from 'nestjs-nightshift';
import type pg from 'pg';
import { expect, it } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication } from './application.js';
import { postgres, type Schemas } from './postgres.js';

const cake = { cake: 'sponge' };
const order = defineTask<{ cake: string }>('order', {
  deduplicationKey: ({ cake }) => ({ key: cake, onConflict: 'reject' }),
});

@TaskHandler(order)
class Orders implements TaskHandler<typeof order> {
  handle(): void {}
}

/** Ways to give a transaction: pg's own, and that of a library which cannot be installed without downloading more. */
type Client = pg.PoolClient;
const shapes: Readonly<Record<string, (client: Client) => unknown>> = {
  'a client of pg': (client) => client,
  "Prisma's $queryRawUnsafe, which takes values one by one": (client) => {
    const tx = {
      $queryRawUnsafe: (text: string, ...values: string[]) =>
        client.query(text, values).then(({ rows }) => rows as unknown[]),
    };
    return (text: string, values: [string]) => tx.$queryRawUnsafe(text, ...values);
  },
};

async function setup(url: string) {
  const schemas = newSchemas(url);
  const { queue, completed } = await startApplication(schemas, { providers: [Orders] });
  await schemas.query(`CREATE TABLE ${schemas.name}.orders (name text)`);
  const inTransaction = async (
    end: 'COMMIT' | 'ROLLBACK',
    work: (client: Client) => Promise<unknown>,
  ): Promise<void> => {
    const client = await schemas.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query(`INSERT INTO ${schemas.name}.orders VALUES ('one')`);
      await work(client);
      await client.query(end);
    } finally {
      client.release();
    }
  };
  const orders = (): Promise<unknown[]> => schemas.query(`SELECT * FROM ${schemas.name}.orders`);
  const tasks = (): Promise<unknown[]> => schemas.query(`SELECT * FROM ${schemas.name}.tasks`);
  return { schemas, queue, completed, inTransaction, orders, tasks };
}

await describeWithService(postgres, 'enqueue(..., { transaction }) on PostgreSQL', (url) => {
  it.each(Object.entries(shapes))('runs the task when the row is committed, with %s', async (_, shape) => {
    const { queue, inTransaction, orders, completed } = await setup(url);
    await inTransaction('COMMIT', async (client) => {
      const task = await queue.enqueue(bake, cake, { transaction: shape(client) });
      // Nobody sees it yet.
      await expect(task.state()).rejects.toMatchObject({ code: 'UNKNOWN_TASK' });
    });
    expect(await orders()).toHaveLength(1);
    await expect.poll(completed).toBe(1);
  });

  it.each(Object.entries(shapes))(
    'leaves neither task nor row when it is rolled back, with %s',
    async (_, shape) => {
      const { queue, inTransaction, orders, tasks } = await setup(url);
      await inTransaction('ROLLBACK', (client) => queue.enqueue(bake, cake, { transaction: shape(client) }));
      expect([await orders(), await tasks()]).toEqual([[], []]);
    },
  );

  it('joins a transaction with everything else that a task may have', async () => {
    const { queue, inTransaction } = await setup(url);
    const ids: string[] = [];
    await inTransaction('COMMIT', async (transaction) => {
      const options = { transaction, deduplicationKey: 'one', tags: ['sweet'], delay: '1h' } as const;
      for (let i = 0; i < 2; i += 1) ids.push((await queue.enqueue(bake, cake, options)).id);
    });
    expect(ids[0]).toBe(ids[1]);
    expect(await (await queue.find(ids[0]!))?.state()).toBe('scheduled');
  });

  it('does not let an open transaction hold up those who enqueue, claim and complete', async () => {
    const { queue, inTransaction } = await setup(url);
    await inTransaction('COMMIT', async (transaction) => {
      await queue.enqueue(bake, cake, { transaction });
      const others = await queue.enqueueMany(bake, [cake, cake, cake]);
      expect(await Promise.all(others.map((task) => task.result()))).toEqual(
        Array.from({ length: 3 }, () => 'sponge, baked'),
      );
    });
  });

  it('asks one thing after the other of the connection when it enqueues many', async () => {
    const { queue, inTransaction, completed } = await setup(url);
    const asked = { now: 0, most: 0 };
    await inTransaction('COMMIT', async (client) => {
      const transaction = async (text: string, values: [string]): Promise<unknown> => {
        asked.most = Math.max(asked.most, (asked.now += 1));
        const { rows } = await client.query(text, values);
        asked.now -= 1;
        return rows;
      };
      expect(await queue.enqueueMany(bake, [cake, cake, cake], { transaction })).toHaveLength(3);
    });
    expect(asked.most).toBe(1);
    await expect.poll(completed).toBe(3);
  });

  it('rejects with what has ended the transaction, for then none of many is accepted', async () => {
    const { queue, inTransaction, tasks } = await setup(url);
    let times = 0;
    await inTransaction('ROLLBACK', async (client) => {
      const transaction = (text: string, values: [string]): Promise<unknown> =>
        (times += 1) === 2 ? client.query('SELECT 1 / 0') : client.query(text, values);
      await expect(queue.enqueueMany(bake, [cake, cake, cake], { transaction })).rejects.toMatchObject({
        code: '22012',
      });
    });
    expect([times, await tasks()]).toEqual([2, []]);
  });

  it('says which of many it has accepted when the transaction goes on', async () => {
    const { queue, inTransaction, tasks } = await setup(url);
    await inTransaction('COMMIT', async (transaction) => {
      const cakes = [cake, { cake: 'marble' }, cake];
      await expect(queue.enqueueMany(order, cakes, { transaction })).rejects.toMatchObject({
        code: 'PARTLY_ENQUEUED',
        handles: [{}, {}],
        cause: { code: 'DUPLICATE_TASK' },
      });
    });
    expect(await tasks()).toHaveLength(2);
  });

  it.each([
    ['nothing', () => 42, /no function/],
    ['a pool', (schemas: Schemas) => schemas.pool, /is a pool/],
    ['something that gives no rows', () => () => Promise.resolve(undefined), /no rows/],
  ])('refuses %s', async (_, transactionOf, why) => {
    const { queue, schemas } = await setup(url);
    const enqueued = queue.enqueue(bake, cake, { transaction: transactionOf(schemas) });
    await expect(enqueued).rejects.toMatchObject({
      code: 'POSTGRES_TRANSACTION_UNUSABLE',
      message: expect.stringMatching(why) as unknown,
    });
  });
});
