import { NestFactory } from '@nestjs/core';
import { BackgroundAdmin, BackgroundModule, defineTask, TaskHandler, TaskQueue } from 'nestjs-nightshift';
import { bullmqEngine } from 'nestjs-nightshift/bullmq';
import { expect, it, vi } from 'vitest';
import { describeWithService } from '../service.js';
import { freshPrefix, redis, removeKeys } from './redis.js';

const leaseMs = 1_000;
const greet = defineTask<string, string>('greet');

class Greeter {
  handle(name: string): string {
    return `hello ${name}`;
  }
}
TaskHandler(greet)(Greeter);

class Root {
  readonly name = 'root';
}

/** An application that runs what it dequeues, and nothing else. */
async function startApplication(connection: string, prefix: string) {
  const engine = bullmqEngine({ connection, prefix, pollInterval: '25ms', lease: leaseMs });
  const imports = [BackgroundModule.forRoot({ engine, queue: { concurrency: 0 }, shutdownTimeout: '1s' })];
  const root = { module: Root, imports, providers: [Greeter] };
  const app = await NestFactory.createApplicationContext(root, { logger: false, abortOnError: false });
  return {
    queue: app.get(TaskQueue),
    task: (id: string) => app.get(BackgroundAdmin).task('default', id),
    close: () => app.close(),
  };
}

async function setup(url: string, amount = 1) {
  const prefix = freshPrefix();
  const apps = await Promise.all(Array.from({ length: amount }, () => startApplication(url, prefix)));
  return {
    apps,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(apps.map(({ close }) => close()));
      await removeKeys(url, prefix);
    },
  };
}

await describeWithService(redis, 'dequeue() on BullMQ', (url) => {
  it('shares tasks out among processes, each to one', async () => {
    await using all = await setup(url, 3);
    const [{ queue }] = all.apps as [(typeof all.apps)[number]];
    const takers = all.apps.flatMap((app) => Array.from({ length: 5 }, () => app.queue.dequeue()));
    const handles = await queue.enqueueMany(
      greet,
      Array.from({ length: 15 }, (_, i) => String(i)),
    );
    const tasks = await Promise.all(takers);
    expect(tasks.map(({ id }) => id).toSorted()).toEqual(handles.map(({ id }) => id).toSorted());
    await Promise.all(tasks.map((task) => task.run()));
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(
      handles.map((_, i) => `hello ${i}`),
    );
  });

  it('keeps a task for whoever has taken it, for longer than the lease', async () => {
    await using all = await setup(url, 2);
    const [taker, other] = all.apps as [(typeof all.apps)[number], (typeof all.apps)[number]];
    const handle = await taker.queue.enqueue(greet, 'Ada');
    const task = await taker.queue.dequeue();
    const controller = new AbortController();
    const elsewhere = other.queue.dequeue({ signal: controller.signal }).catch((error: unknown) => error);
    const untilAt = Date.now() + 3 * leaseMs;
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(untilAt), { timeout: 9 * leaseMs });
    controller.abort('nothing came');
    expect(await elsewhere).toBe('nothing came');
    await task.run();
    expect(await handle.result()).toBe('hello Ada');
    expect((await taker.task(handle.id))?.attempts).toHaveLength(0); // it needed no other
  });

  it('gives back at the stop what was taken and not begun, as no attempt', async () => {
    await using all = await setup(url, 2);
    const [taker, other] = all.apps as [(typeof all.apps)[number], (typeof all.apps)[number]];
    const handle = await other.queue.enqueue(greet, 'Ada');
    await taker.queue.dequeue();
    await taker.close();
    const again = await other.queue.dequeue();
    expect(again.id).toBe(handle.id);
    await again.run();
    expect(await handle.state()).toBe('completed');
  });
});
