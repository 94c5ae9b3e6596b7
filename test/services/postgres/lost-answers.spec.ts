import { EventEmitter, once } from 'node:events';
import { constant } from 'nestjs-nightshift';
import { Pool, type PoolClient, type QueryConfig } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithService } from '../service.js';
import { bake, newSchemas, startApplication } from './application.js';
import { postgres } from './postgres.js';

const cake = { cake: 'sponge' };
/** Where in the values of the statement the claims are. */
const claimsAt = 4;

/** Its connections can break when a statement has been done, so that its answer is lost. */
class ForgetfulPool extends Pool {
  /** What is said in the statement, or in the answer, that is lost next. */
  forgets: string | undefined;
  forgot = 0;
  /** Whether the next claim is on its way for long, though its connection has broken. */
  delays = false;
  delayed: { readonly text: string; readonly values: unknown[] } | undefined;

  override async connect(): Promise<never> {
    const client: PoolClient = await super.connect();
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
    const ask = async (asked: string | QueryConfig<unknown[]>): Promise<unknown> => {
      const { text, values = [] } = typeof asked === 'string' ? { text: asked } : asked;
      if (this.delays && text.includes('.work(') && values[claimsAt] !== null) {
        this.delays = false;
        this.delayed = { text, values };
        throw new Error('Connection terminated unexpectedly');
      }
      const answer = await query(asked);
      const said = JSON.stringify([values, (answer as { rows: unknown }).rows]);
      if (this.forgets === undefined || !text.includes('.work(') || !said.includes(this.forgets))
        return answer;
      this.forgets = undefined;
      this.forgot += 1;
      throw new Error('Connection terminated unexpectedly');
    };
    return Object.assign(Object.create(client) as PoolClient, { query: ask }) as never;
  }
}

async function setup(url: string, handle?: () => unknown, queue?: { concurrency: number }) {
  const pool = new ForgetfulPool({ connectionString: url, max: 6 });
  const schemas = newSchemas(url);
  const application = await startApplication(schemas, {
    engine: { pool, graphile: 'none' },
    ...(handle && { handle }),
    ...(queue && { queue }),
  });
  onTestFinished(async () => {
    await application.close();
    await pool.end();
  });
  return { pool, schemas, ...application };
}

await describeWithService(postgres, 'what was done when its answer was lost', (url) => {
  it('gives a task back that was claimed by a process that knows nothing of it', async () => {
    const { pool, schemas, queue, completed } = await setup(url);
    const other = await startApplication(schemas, {
      queue: { concurrency: 0 },
      engine: { graphile: 'none' },
    });
    pool.forgets = 'sponge'; // the answer to the claim that gets it
    const task = await other.queue.enqueue(bake, cake, { concurrencyKey: 'oven' });
    await expect.poll(() => pool.forgot, { timeout: 10_000 }).toBe(1);
    await expect.poll(completed, { timeout: 10_000 }).toBe(1);
    expect(await task.result()).toBe('sponge, baked');
    const { attempts } = (await queue.find(task.id).then(() => other.admin.task('default', task.id)))!;
    expect(attempts.map(({ outcome }) => outcome)).not.toContain('interrupted');
  }, 30_000);

  it('gives a task back that was claimed anew along with the outcome of its last attempt', async () => {
    let attempts = 0;
    const { pool, queue } = await setup(url, () => {
      attempts += 1;
      if (attempts === 1) throw new Error('burnt');
      return 'done';
    });
    pool.forgets = 'retrying';
    const task = await queue.enqueue(bake, cake, { retry: { maxAttempts: 2, backoff: constant(0) } });
    expect(await task.result()).toBe('done');
    expect(pool.forgot).toBe(1);
  }, 30_000);

  it('is nothing, when it comes after its worker has ceased to wait for it', async () => {
    const oven = new EventEmitter();
    const { pool, schemas, queue } = await setup(url, () => once(oven, 'done'), { concurrency: 1 });
    const other = await startApplication(schemas, {
      queue: { concurrency: 0 },
      engine: { graphile: 'none' },
    });
    pool.delays = true;
    await other.queue.enqueue(bake, cake);
    await expect.poll(() => queue.active, { timeout: 10_000 }).toBe(1); // by the claim after that
    const next = await other.queue.enqueue(bake, cake);
    await schemas.query(pool.delayed!.text, pool.delayed!.values);
    expect(await next.state()).toBe('waiting');
    oven.emit('done');
    await expect.poll(() => next.state(), { timeout: 10_000 }).toBe('active');
    oven.emit('done');
    await next.result();
  }, 30_000);

  it('is the outcome of a task, and not that of another worker', async () => {
    const oven = new EventEmitter();
    const { pool, queue, events } = await setup(url, async () => {
      await once(oven, 'done');
      return 'done';
    });
    const task = await queue.enqueue(bake, cake);
    await expect.poll(() => queue.active).toBe(1);
    pool.forgets = 'completed'; // that to the settlement
    oven.emit('done');
    expect(await task.result()).toBe('done');
    expect(pool.forgot).toBe(1);
    expect(events.map(({ type }) => type)).not.toContain('task.superseded');
  }, 30_000);
});
