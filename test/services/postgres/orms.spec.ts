import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { pgSchema, text } from 'drizzle-orm/pg-core';
import { DataSource, EntitySchema } from 'typeorm';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication } from './application.js';
import { postgres, type Schemas } from './postgres.js';

const cake = { cake: 'sponge' };

/** Writes an order and whatever `enqueue` does in one transaction, which `fails` or not. */
type PlaceOrder = (enqueue: (transaction: unknown) => Promise<unknown>, fails: boolean) => Promise<void>;

/** One library, with a table of its own in the test's schema. */
type Orm = (schemas: Schemas) => Promise<PlaceOrder>;

class OutOfFlourError extends Error {}

function endTransaction(fails: boolean): void {
  if (fails) throw new OutOfFlourError();
}

const typeorm: Orm = async (schemas) => {
  const orders = new EntitySchema<{ name: string }>({
    name: 'orders',
    schema: schemas.name,
    columns: { name: { type: 'text', primary: true } },
  });
  const dataSource = new DataSource({ type: 'postgres', url: schemas.url, entities: [orders] });
  await dataSource.initialize();
  onTestFinished(() => dataSource.destroy());
  return (enqueue, fails) =>
    dataSource.transaction(async (manager) => {
      await manager.save(orders, { name: 'one' });
      await enqueue((statement: string, values: [string]) => manager.query(statement, values));
      endTransaction(fails);
    });
};

const drizzleOrm: Orm = async (schemas) => {
  const orders = pgSchema(schemas.name).table('orders', { name: text().primaryKey() });
  const db = drizzle(schemas.pool);
  return (enqueue, fails) =>
    db.transaction(async (tx) => {
      await tx.insert(orders).values({ name: 'one' });
      await enqueue((statement: string, [value]: [string]) => {
        const [before, after] = statement.split('$1');
        return tx.execute(sql`${sql.raw(before!)}${value}${sql.raw(after!)}`);
      });
      endTransaction(fails);
    });
};

await describeWithService(postgres, 'a transaction of', (url) => {
  it.each([
    ['TypeORM', typeorm],
    ['Drizzle', drizzleOrm],
  ])('%s has the row and the task, or neither', async (_, orm) => {
    const schemas = newSchemas(url);
    const { queue, completed } = await startApplication(schemas);
    await schemas.query(`CREATE TABLE ${schemas.name}.orders (name text PRIMARY KEY)`);
    const placeOrder = await orm(schemas);
    const enqueue = (transaction: unknown): Promise<unknown> => queue.enqueue(bake, cake, { transaction });
    const orders = (): Promise<unknown[]> => schemas.query(`SELECT name FROM ${schemas.name}.orders`);

    await expect(placeOrder(enqueue, true)).rejects.toThrow(OutOfFlourError);
    expect([await orders(), await schemas.query(`SELECT 1 FROM ${schemas.name}.tasks`)]).toEqual([[], []]);

    await placeOrder(enqueue, false);
    expect(await orders()).toEqual([{ name: 'one' }]);
    await expect.poll(completed).toBe(1);
  });
});
