import { FlowProducer, Queue } from 'bullmq';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundAdmin,
  BackgroundEvents,
  BackgroundModule,
  defineTask,
  TaskHandler,
  TaskQueue,
  type BackgroundEvent,
  type TaskContext,
  type TaskQueueOptions,
} from 'nestjs-nightshift';
import { bullmqEngine } from 'nestjs-nightshift/bullmq';
import { constant } from 'nestjs-nightshift/channels';
import { expect, it, vi } from 'vitest';
import { describeWithService } from '../service.js';
import { freshPrefix, redis, removeKeys } from './redis.js';

interface Order {
  readonly name: string;
  /** It goes on until it is let go, or aborted. */
  readonly waits?: boolean;
  readonly failures?: number;
}

const bake = defineTask<Order, string>('bake');

class Root {
  readonly name = 'root';
}

class Baker {
  static readonly began: string[] = [];
  static readonly waiting = new Map<string, () => void>();

  async handle({ name, waits, failures = 0 }: Order, context: TaskContext): Promise<string> {
    Baker.began.push(name);
    const { signal } = context;
    if (waits === true)
      await new Promise<void>((resolve, reject) => {
        Baker.waiting.set(name, resolve);
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    if (context.attempt <= failures) throw new Error('burnt');
    return `${name} is baked`;
  }
}
TaskHandler(bake)(Baker);

async function setup(url: string, options: TaskQueueOptions = {}) {
  const prefix = freshPrefix();
  const events: BackgroundEvent[] = [];
  const engine = bullmqEngine({ connection: url, prefix, pollInterval: '50ms' });
  const root = {
    module: Root,
    imports: [BackgroundModule.forRoot({ engine, queue: { name: 'oven', concurrency: 1, ...options } })],
    providers: [Baker],
  };
  const app = await NestFactory.createApplicationContext(root, { logger: false, abortOnError: false });
  app.get(BackgroundEvents).stream.subscribe((event) => events.push(event));
  const bullmq = new Queue('oven', { connection: { url }, prefix });
  const flows = new FlowProducer({ connection: { url }, prefix });
  Baker.began.length = 0;
  return {
    queue: app.get(TaskQueue),
    admin: app.get(BackgroundAdmin),
    bullmq,
    flows,
    events,
    began: Baker.began,
    letGo: (name: string) => Baker.waiting.get(name)!(),
    close: () => app.close(),
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await bullmq.close();
      await flows.close();
      await removeKeys(url, prefix);
    },
  };
}

function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** What commands of BullMQ do to tasks, and commands of this library to jobs of others. */
await describeWithService(redis, 'tasks that are steered with BullMQ', (url) => {
  it('the next job of a scheduler is not cancelled, and the scheduler goes on', async () => {
    await using app = await setup(url);
    const next = (await app.bullmq.upsertJobScheduler(
      'hourly',
      { every: 3_600_000, offset: 1_800_000 },
      { name: 'bake', data: { name: 'bread' } },
    ))!;
    const handle = (await app.queue.find(next.id!))!;
    expect(await handle.cancel()).toBe(false);
    expect(await app.admin.cancelTasks('oven', { ids: [next.id!] })).toBe(0);
    expect(await handle.state()).toBe('scheduled');
    await app.bullmq.removeJobScheduler('hourly');
    expect(await app.queue.find(next.id!)).toBeUndefined();
  });

  it('a task that was cancelled while it ran is not cancelled again when BullMQ runs it again', async () => {
    await using app = await setup(url);
    const handle = await app.queue.enqueue(bake, { name: 'bread', waits: true });
    await vi.waitFor(() => expect(app.began).toEqual(['bread']));
    const cancelled = errorOf(handle.result());
    expect(await handle.cancel('no flour')).toBe(true);
    expect(await cancelled).toMatchObject({ code: 'TASK_CANCELLED' });
    await vi.waitFor(async () => expect(await handle.state()).toBe('cancelled'));
    await (await app.bullmq.getJob(handle.id))!.retry();
    await vi.waitFor(() => expect(app.began).toEqual(['bread', 'bread']));
    const again = errorOf(handle.result());
    await app.admin.counts('oven'); // looks, and so hears of what is cancelled
    expect(await handle.state()).toBe('active');
    await handle.cancel('enough');
    expect(await again).toMatchObject({ message: expect.stringContaining('enough') });
  });

  it('a job without priority goes before all tasks when it is retried, too', async () => {
    await using app = await setup(url, { retry: { maxAttempts: 2, backoff: constant(100) } });
    const job = await app.bullmq.add('bake', { name: 'plain', failures: 1 });
    const handle = (await app.queue.find(job.id!))!;
    await vi.waitFor(async () => expect(await handle.state()).toBe('retrying'));
    await app.queue.pause();
    const urgent = await app.queue.enqueue(bake, { name: 'urgent' }, { priority: -5 });
    await vi.waitFor(async () => expect(await handle.state()).toBe('waiting'));
    await app.queue.resume();
    await urgent.result();
    expect(app.began).toEqual(['plain', 'plain', 'urgent']);
  });

  it.each(['remove', 'obliterate'] as const)(
    'the window of a task that %s() of BullMQ took away before it ended is over',
    async (command) => {
      await using app = await setup(url, { retention: { completed: { count: 0 } } });
      const options = { deduplicationKey: { key: 'k', window: '1h' as const } };
      await app.queue.pause();
      const first = await app.queue.enqueue(bake, { name: 'first' }, options);
      expect((await app.queue.enqueue(bake, { name: 'second' }, options)).id).toBe(first.id);
      if (command === 'remove') await (await app.bullmq.getJob(first.id))!.remove();
      else await app.bullmq.obliterate();
      const third = await app.queue.enqueue(bake, { name: 'third' }, options);
      await app.queue.resume();
      expect(await third.result()).toBe('third is baked');
      await vi.waitFor(async () => expect(await app.queue.find(third.id)).toBeUndefined());
      expect((await app.queue.enqueue(bake, { name: 'fourth' }, options)).id).toBe(third.id);
    },
  );

  it('the parent of a flow waits while its children run, and is not cancelled meanwhile', async () => {
    await using app = await setup(url);
    const { job } = await app.flows.add({
      name: 'bake',
      queueName: 'oven',
      data: { name: 'cake' },
      children: [{ name: 'bake', queueName: 'oven', data: { name: 'dough', waits: true } }],
    });
    await vi.waitFor(() => expect(app.began).toEqual(['dough']));
    const parent = (await app.queue.find(job.id!))!;
    const result = parent.result();
    expect(await parent.state()).toBe('waiting');
    expect(await app.admin.counts('oven')).toMatchObject({ waiting: 1, active: 1 });
    const { tasks } = await app.admin.searchTasks('oven', { states: ['waiting'] });
    expect(tasks).toMatchObject([{ id: job.id, state: 'waiting' }]);
    expect(await parent.cancel()).toBe(false);
    app.letGo('dough');
    expect(await result).toBe('cake is baked');
    await app.queue.whenIdle();
  });

  it.each(['newest', 'oldest'] as const)(
    'pages give all jobs with ids of their own that were added in one moment, the %s first',
    async (order) => {
      await using app = await setup(url);
      await app.queue.pause();
      const ids = Array.from({ length: 60 }, (_, index) =>
        `order:${index % 2}:${index * 16_384}`.replaceAll(':', '-'),
      );
      const timestamp = Date.now();
      await app.bullmq.addBulk(
        ids.map((jobId) => ({ name: 'bake', data: { name: jobId }, opts: { jobId, timestamp } })),
      );
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await app.admin.searchTasks('oven', { limit: 7, order, after });
        seen.push(...page.tasks.map(({ id }) => id));
        after = page.next;
      } while (after !== undefined);
      expect(seen).toHaveLength(ids.length);
      expect(seen.toSorted()).toEqual(ids.toSorted());
    },
  );

  it('a job with something else where this library keeps its notes is a job like others', async () => {
    await using app = await setup(url);
    const opts = { nightshift: 'junk' } as object;
    const job = await app.bullmq.add('bake', { name: 'bread' }, opts);
    const handle = (await app.queue.find(job.id!))!;
    expect(await handle.result()).toBe('bread is baked');
    const { tasks } = await app.admin.searchTasks('oven');
    expect(tasks).toMatchObject([{ id: job.id, name: 'bake', tags: [], metadata: {} }]);
  });

  it('a job that does not say how many attempts it has shows no fewer than it makes', async () => {
    await using app = await setup(url, { retry: { maxAttempts: 3, backoff: constant(200) } });
    const job = await app.bullmq.add('bake', { name: 'bread', failures: 3 });
    const handle = (await app.queue.find(job.id!))!;
    await vi.waitFor(async () => expect(await handle.state()).toBe('retrying'));
    expect(await app.admin.task('oven', job.id!)).toMatchObject({ attempt: 1, maxAttempts: 2 });
    await vi.waitFor(async () => expect(await handle.state()).toBe('dead'), 5_000);
    expect(await app.admin.task('oven', job.id!)).toMatchObject({ attempt: 3, maxAttempts: 3 });
  });
});
