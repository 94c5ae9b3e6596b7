import { setTimeout as sleep } from 'node:timers/promises';
import { getTaskQueueToken, type TaskQueue } from 'nestjs-nightshift';
import { expect, it } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication } from './application.js';
import { postgres } from './postgres.js';

const bakingMs = 2;
const roundsOfEach = 60;

await describeWithService(postgres, 'processes that share several queues on PostgreSQL', (url) => {
  it('never wait for each other in a circle, whatever keys, rates and bounds they have', async () => {
    const schemas = newSchemas(url);
    const deadlocks = async (): Promise<number> => {
      const [row] = await schemas.query<{ deadlocks: string }>(
        'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
      );
      return Number(row!.deadlocks);
    };
    const before = await deadlocks();
    const apps = await Promise.all(
      [1, 2, 3].map(() =>
        startApplication(schemas, {
          queue: { concurrency: 4, rateLimit: { max: 2_000, per: '1s' }, capacity: 2_000 },
          other: { name: 'other', concurrency: 4, rateLimit: { max: 2_000, per: '1s' }, capacity: 2_000 },
          handle: () => sleep(bakingMs),
        }),
      ),
    );
    const total = apps.length * roundsOfEach * 2 * 2;
    await Promise.all(
      apps.map(async ({ app, queue }, number) => {
        const other = app.get<TaskQueue>(getTaskQueueToken('other'));
        for (let round = 0; round < roundsOfEach; round += 1) {
          const of = (one: TaskQueue, i: number): Promise<unknown> =>
            one.enqueue(bake, { cake: 'sponge' }, { concurrencyKey: `key ${(round + i) % 5}` });
          const order = number % 2 === 0 ? [queue, other] : [other, queue];
          await Promise.all([...order, ...order].map(of));
        }
      }),
    );
    const completed = (): number => apps.reduce((sum, app) => sum + app.completed(), 0);
    await expect.poll(completed, { timeout: 25_000 }).toBe(total);
    await sleep(600); // the server writes its statistics after a while
    expect((await deadlocks()) - before).toBe(0);
    expect(apps.flatMap(({ events }) => events.filter(({ type }) => type === 'engine.failed'))).toEqual([]);
  }, 40_000);
});
