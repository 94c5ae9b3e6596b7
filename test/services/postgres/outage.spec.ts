import { EventEmitter, once } from 'node:events';
import { expect, it } from 'vitest';
import { openGateway } from '../gateway.js';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication } from './application.js';
import { postgres } from './postgres.js';

const cake = { cake: 'sponge' };

async function setup(url: string) {
  const gateway = await openGateway(url);
  const schemas = newSchemas(url);
  const application = await startApplication(schemas, { engine: { connectionString: gateway.url } });
  return { gateway, schemas, ...application };
}

await describeWithService(postgres, 'an outage of PostgreSQL', (url) => {
  it('is told once, and everything goes on when it is over', async () => {
    const { gateway, queue, events } = await setup(url);
    await (await queue.enqueue(bake, cake)).result();
    await gateway.close();
    await expect(queue.enqueue(bake, cake)).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    await expect.poll(() => events.filter(({ type }) => type === 'engine.failed')).toHaveLength(1);
    await expect(queue.enqueue(bake, cake)).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    await gateway.reopen();
    const task = await queue.enqueue(bake, cake);
    expect(await task.result()).toBe('sponge, baked');
    expect(events.filter(({ type }) => type === 'engine.failed')).toHaveLength(1);
  }, 20_000);

  it('hears again of what others enqueue when it is over', async () => {
    const { gateway, queue, schemas, completed } = await setup(url);
    await gateway.close();
    await expect(queue.enqueue(bake, cake)).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    await gateway.reopen();
    const other = await startApplication(schemas, { queue: { concurrency: 0 } });
    await other.queue.enqueue(bake, cake);
    await expect.poll(completed, { timeout: 10_000 }).toBe(1);
  }, 20_000);

  it('does not lose the outcome of a task that ends during it', async () => {
    const oven = new EventEmitter();
    const gateway = await openGateway(url);
    const schemas = newSchemas(url);
    const { queue } = await startApplication(schemas, {
      engine: { connectionString: gateway.url },
      handle: async () => {
        await once(oven, 'done');
        return 'late';
      },
    });
    const task = await queue.enqueue(bake, cake);
    await expect.poll(() => queue.active).toBe(1);
    await gateway.close();
    oven.emit('done');
    await expect.poll(() => queue.active).toBe(0);
    await gateway.reopen();
    await expect
      .poll(() => schemas.query(`SELECT state, result FROM ${schemas.name}.tasks`), { timeout: 10_000 })
      .toEqual([{ state: 'completed', result: '"late"' }]);
    expect(await task.result()).toBe('late');
  }, 20_000);
});
