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
import { expect, it } from 'vitest';
import { describeWithService } from '../service.js';
import { freshPrefix, redis, removeKeys } from './redis.js';

interface Order {
  readonly name: string;
  /** It goes on until it is aborted. */
  readonly waits?: boolean;
  readonly failures?: number;
}

const bake = defineTask<Order, string>('bake');

class Root {
  readonly name = 'root';
}

class Baker {
  static readonly began: string[] = [];

  async handle({ name, waits, failures = 0 }: Order, context: TaskContext): Promise<string> {
    Baker.began.push(name);
    const { signal } = context;
    if (waits === true)
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
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
    close: () => app.close(),
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await bullmq.close();
      await flows.close();
      await removeKeys(url, prefix);
    },
  };
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
});
