import { expect, it } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication, type ApplicationOptions } from './application.js';
import { postgres } from './postgres.js';

const cake = { cake: 'sponge' };

async function setup(url: string, one: ApplicationOptions = {}, other: ApplicationOptions = one) {
  const schemas = newSchemas(url);
  return {
    schemas,
    one: await startApplication(schemas, one),
    other: await startApplication(schemas, other),
  };
}

function untilAborted(_: object, { signal }: { signal: AbortSignal }): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error)),
  );
}

await describeWithService(postgres, 'several processes on one PostgreSQL', (url) => {
  it('gives each task to one of them', async () => {
    const begun: string[] = [];
    const handle = (_: object, { id }: { id: string }): void => void begun.push(id);
    const { one, other } = await setup(url, { handle });
    const tasks = await one.queue.enqueueMany(
      bake,
      Array.from({ length: 300 }, () => cake),
    );
    await Promise.all(tasks.map((task) => task.result()));
    expect(begun.toSorted()).toEqual(tasks.map(({ id }) => id).toSorted());
    expect(one.completed() + other.completed()).toBe(300);
  });

  it('runs what others enqueue long before they would look by themselves, and tells them the result', async () => {
    const { one, other } = await setup(url, { queue: { concurrency: 0 } }, {});
    const begunAt = performance.now();
    const task = await one.queue.enqueue(bake, cake);
    expect(await task.result()).toBe('sponge, baked');
    expect(performance.now() - begunAt).toBeLessThan(2_400);
    expect(other.completed()).toBe(1);
  });

  it('cancels what runs elsewhere', async () => {
    const { one, other } = await setup(url, { queue: { concurrency: 0 } }, { handle: untilAborted });
    const task = await one.queue.enqueue(bake, cake);
    await expect.poll(() => other.queue.active).toBe(1);
    expect(await task.cancel('not hungry')).toBe(true);
    await expect(task.result()).rejects.toMatchObject({
      code: 'TASK_CANCELLED',
      message: expect.stringContaining('not hungry') as unknown,
    });
  });

  it('pauses for all', async () => {
    const { one, other } = await setup(url);
    await one.queue.pause();
    await expect.poll(() => other.queue.isPaused).toBe(true);
    const task = await other.queue.enqueue(bake, cake);
    expect(await task.state()).toBe('waiting');
    await other.queue.resume();
    expect(await task.result()).toBe('sponge, baked');
  });

  it('runs no more of a key than may, over all', async () => {
    let running = 0;
    let most = 0;
    const handle = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => setImmediate(resolve));
      running -= 1;
    };
    const { one } = await setup(url, { handle });
    const tasks = await one.queue.enqueueMany(
      bake,
      Array.from({ length: 60 }, () => cake),
      { concurrencyKey: { key: 'oven', limit: 2 } },
    );
    await Promise.all(tasks.map((task) => task.result()));
    expect(most).toBeLessThanOrEqual(2);
  }, 20_000);
});
