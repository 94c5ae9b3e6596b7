import { Queue, type ConnectionOptions } from 'bullmq';
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
} from 'nestjs-nightshift';
import { bullmqEngine } from 'nestjs-nightshift/bullmq';
import { expect, it, vi } from 'vitest';
import { describeWithService } from '../service.js';
import { freshPrefix, redis, removeKeys } from './redis.js';

const greet = defineTask<{ name: string }, string>('greet');

class Root {
  readonly name = 'root';
}

class Greeter {
  handle({ name }: { name: string }, context: TaskContext): string {
    context.progress(0.5, 'half way');
    context.log('on my way');
    if (name === 'nobody') throw new Error('there is nobody');
    return `hello ${name}`;
  }
}
TaskHandler(greet)(Greeter);

async function setup(url: string) {
  const prefix = freshPrefix();
  const events: BackgroundEvent[] = [];
  const engine = bullmqEngine({ connection: url, prefix, pollInterval: '50ms' });
  const queue = { name: 'greetings', retry: { maxAttempts: 1 } };
  const root = {
    module: Root,
    imports: [BackgroundModule.forRoot({ engine, queue })],
    providers: [Greeter],
  };
  const app = await NestFactory.createApplicationContext(root, { logger: false, abortOnError: false });
  app.get(BackgroundEvents).stream.subscribe((event) => events.push(event));
  const connection: ConnectionOptions = { url };
  const bullmq = new Queue('greetings', { connection, prefix });
  return {
    queue: app.get(TaskQueue),
    admin: app.get(BackgroundAdmin),
    bullmq,
    events,
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await bullmq.close();
      await removeKeys(url, prefix);
    },
  };
}

await describeWithService(redis, 'tasks and the jobs of BullMQ', (url) => {
  it('a task is a job like any other: its name, data, result, log and progress are where BullMQ has them', async () => {
    await using app = await setup(url);
    const handle = await app.queue.enqueue(greet, { name: 'Ada' }, { tags: ['polite'] });
    expect(await handle.result()).toBe('hello Ada');
    await vi.waitFor(async () => expect(await app.bullmq.getCompletedCount()).toBe(1));
    const job = (await app.bullmq.getJob(handle.id))!;
    expect(job).toMatchObject({ name: 'greet', data: { name: 'Ada' }, returnvalue: 'hello Ada' });
    expect(job.progress).toMatchObject({ value: 0.5, message: 'half way' });
    const { logs } = await app.bullmq.getJobLogs(handle.id);
    expect(logs).toEqual([expect.stringMatching(/^\d{4}-.*Z on my way$/)]);
  });

  it('a job that a plain producer adds is a task', async () => {
    await using app = await setup(url);
    const job = await app.bullmq.add('greet', { name: 'Grace' });
    const handle = await vi.waitFor(async () => (await app.queue.find(job.id!))!);
    expect(await handle.result()).toBe('hello Grace');
    const { tasks } = await app.admin.searchTasks('greetings', {});
    expect(tasks).toMatchObject([{ id: job.id, name: 'greet', state: 'completed' }]);
  });

  it('a dead task is a failed job, with its reason and its stack', async () => {
    await using app = await setup(url);
    const handle = await app.queue.enqueue(greet, { name: 'nobody' });
    await expect(handle.result()).rejects.toThrow('there is nobody');
    await vi.waitFor(async () => expect(await app.bullmq.getFailedCount()).toBe(1));
    const job = (await app.bullmq.getJob(handle.id))!;
    expect(job.failedReason).toBe('there is nobody');
    expect(job.stacktrace?.[0]).toContain('there is nobody');
  });

  it('a job that BullMQ runs again by hand runs again', async () => {
    await using app = await setup(url);
    const handle = await app.queue.enqueue(greet, { name: 'nobody' });
    await expect(handle.result()).rejects.toThrow('there is nobody');
    await vi.waitFor(async () => expect(await app.bullmq.getFailedCount()).toBe(1));
    await (await app.bullmq.getJob(handle.id))!.retry();
    await vi.waitFor(() => expect(app.events.filter(({ type }) => type === 'task.failed')).toHaveLength(2));
  });

  it('whoever waits for a job that is removed with BullMQ is told', async () => {
    await using app = await setup(url);
    await app.queue.pause();
    const handle = await app.queue.enqueue(greet, { name: 'Ada' });
    const result = handle.result();
    result.catch(() => {});
    await (await app.bullmq.getJob(handle.id))!.remove();
    await expect(result).rejects.toMatchObject({ code: 'UNKNOWN_TASK', taskId: handle.id });
  });

  it('a queue that is paused with BullMQ is paused here', async () => {
    await using app = await setup(url);
    await app.bullmq.pause();
    await vi.waitFor(() => expect(app.queue.isPaused).toBe(true));
    await app.bullmq.resume();
    await vi.waitFor(() => expect(app.queue.isPaused).toBe(false));
  });
});
