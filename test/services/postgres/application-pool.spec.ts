import { Pool } from 'pg';
import { expect, it, onTestFinished, vi } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication } from './application.js';
import { postgres } from './postgres.js';

function setup(url: string) {
  const schemas = newSchemas(url);
  const pool = new Pool({ connectionString: url, max: 6 });
  onTestFinished(() => pool.end());
  const listeners = () => ['error', 'connect', 'remove'].map((event) => pool.listenerCount(event));
  const start = () => startApplication(schemas, { engine: { pool } });
  return { schemas, pool, listeners, start };
}

await describeWithService(postgres, 'a pool of the application', (url) => {
  it('is used, and left open', async () => {
    const { pool, start } = setup(url);
    const { queue, close } = await start();
    expect(await (await queue.enqueue(bake, { cake: 'sponge' })).result()).toBe('sponge, baked');
    await close();
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('is listened to while the engine is open, and no longer', async () => {
    const { schemas, pool, listeners, start } = setup(url);
    const { close } = await start();
    const client = await pool.connect();
    expect([...listeners(), client.listenerCount('error')]).toEqual([1, 1, 1, 1]);
    await close();
    expect([...listeners(), client.listenerCount('error')]).toEqual([0, 0, 0, 0]);
    client.release();
    await schemas.query(`UPDATE ${schemas.name}.version SET version = 99`);
    await expect(start()).rejects.toMatchObject({ code: 'POSTGRES_NEWER_VERSION' });
    expect(listeners()).toEqual([0, 0, 0]);
  });

  it('does not end the process when the server ends connections that nobody uses', async () => {
    const { schemas, pool, start } = setup(url);
    const uncaught = vi.fn<(error: Error) => void>();
    process.on('uncaughtException', uncaught);
    onTestFinished(() => void process.off('uncaughtException', uncaught));
    const { queue } = await start();
    const clients = await Promise.all([pool.connect(), pool.connect()]);
    const pids = clients.map((client) => (client as unknown as { processID: number }).processID);
    for (const client of clients) client.release();
    let removed = 0;
    pool.on('remove', () => (removed += 1));
    await schemas.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) pid', [pids]);
    await expect.poll(() => removed).toBe(2);
    expect(uncaught).not.toHaveBeenCalled();
    expect(await (await queue.enqueue(bake, { cake: 'sponge' })).result()).toBe('sponge, baked');
  });

  it('makes nothing print past the logger of the application', async () => {
    const printed = (['log', 'info', 'warn', 'error'] as const).map((level) => vi.spyOn(console, level));
    onTestFinished(() => printed.forEach((each) => each.mockRestore()));
    const { schemas, start } = setup(url);
    await (await start()).close();
    // Made by a release to come, of which graphile-worker warns.
    await schemas.query(`INSERT INTO ${schemas.graphile}.migrations VALUES (9999)`);
    await start();
    expect(printed.flatMap(({ mock }) => mock.calls)).toEqual([]);
  });
});
