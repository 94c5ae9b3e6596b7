import 'reflect-metadata';
// What stays in the heap of tasks, however they end.
import { Injectable, Module, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BackgroundModule, getTaskQueueToken, TaskQueue } from 'nestjs-nightshift';
import { ManualClock } from 'nestjs-nightshift/testing';
import { reportHeap, times } from './measurement.js';

const burst = 10_000;
const clock = new ManualClock();

@Injectable({ scope: Scope.REQUEST })
class Connection implements AsyncDisposable {
  async [Symbol.asyncDispose](): Promise<void> {}
}

@Module({
  imports: [
    BackgroundModule.forRoot({ clock, queue: { capacity: burst, concurrency: 4 } }),
    BackgroundModule.registerQueue(
      { name: 'narrow', capacity: 1 },
      { name: 'dropping', capacity: 10, fullMode: 'dropOldest' },
      { name: 'own worker', concurrency: 0 },
    ),
  ],
  providers: [Connection],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
await app.init();
const [queue, narrow, dropping, ownWorker] = ['default', 'narrow', 'dropping', 'own worker'].map((name) =>
  app.get<TaskQueue>(getTaskQueueToken(name)),
) as [TaskQueue, TaskQueue, TaskQueue, TaskQueue];

/** In bursts, each of which is over before the next. */
async function inBursts(count: number, of: number, work: (size: number) => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done += of) await work(Math.min(of, count - done));
}

function each<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

await reportHeap('tasks, each awaited', times, async (count) => {
  for (let done = 0; done < count; done += 1) await (await queue.enqueue(async () => done)).result();
});

await reportHeap('tasks in bursts of 10,000', times, (count) =>
  inBursts(count, burst, async (size) => {
    await Promise.all(each(size, () => queue.enqueue(async ({ id }) => id)));
    await queue.whenIdle();
  }),
);

await reportHeap('tasks that fail', times, (count) =>
  inBursts(count, 1_000, async (size) => {
    for (const task of await Promise.all(each(size, () => queue.enqueue(failing)))) void task;
    const watched = await queue.enqueue(failing);
    await watched.result().catch(() => {});
    await queue.whenIdle();
  }),
);

await reportHeap('tasks cancelled while they wait', times, (count) =>
  inBursts(count, 1_000, async (size) => {
    queue.pause();
    const tasks = await Promise.all(each(size, () => queue.enqueue(async () => {})));
    await Promise.all(tasks.map((task) => task.cancel('not needed')));
    queue.resume();
    await queue.whenIdle();
  }),
);

await reportHeap('tasks cancelled while they run', times, (count) =>
  inBursts(count, 1_000, async (size) => {
    for (let done = 0; done < size; done += 1) {
      const task = await queue.enqueue(({ signal }) => aborted(signal));
      await new Promise((resolve) => void setImmediate(resolve));
      await task.cancel('not needed');
      await task.result().catch(() => {});
    }
    await queue.whenIdle();
  }),
);

await reportHeap('tasks that time out', times, (count) =>
  inBursts(count, 1_000, async (size) => {
    await Promise.all(each(size, () => queue.enqueue(({ signal }) => aborted(signal), { timeout: '1s' })));
    while (queue.size + queue.active > 0) await clock.advance('1s');
    await queue.whenIdle();
  }),
);

await reportHeap('tasks with a timeout that is not reached', times, (count) =>
  inBursts(count, 1_000, async (size) => {
    await Promise.all(each(size, () => queue.enqueue(async () => {}, { timeout: '1h' })));
    await queue.whenIdle();
  }),
);

await reportHeap('tasks with a scope', times / 2, (count) =>
  inBursts(count, 1_000, async (size) => {
    await Promise.all(
      each(size, () => queue.enqueue(async ({ scope }) => void (await scope.resolve(Connection)))),
    );
    await queue.whenIdle();
  }),
);

const { signal } = new AbortController();
await reportHeap('producers that wait for space', times, (count) =>
  inBursts(count, 1_000, async (size) => {
    await Promise.all(each(size, () => narrow.enqueue(async () => {})));
    await narrow.whenIdle();
  }),
);

await reportHeap('tasks dropped', times, (count) =>
  inBursts(count, 1_000, async (size) => {
    await Promise.all(each(size, () => dropping.enqueue(async () => {})));
    await dropping.whenIdle();
  }),
);

await reportHeap('tasks refused by tryEnqueue()', times, async (count) => {
  narrow.pause();
  for (let done = 0; done < count; done += 1) narrow.tryEnqueue(async () => {});
  narrow.resume();
  await narrow.whenIdle();
});

await reportHeap('tasks run by a worker of the user', times, async (count) => {
  for (let done = 0; done < count; done += 1) {
    await ownWorker.enqueue(async () => {});
    await (await ownWorker.dequeue({ signal })).run({ signal });
  }
});

await reportHeap('dequeue() given up', times, (count) =>
  inBursts(count, 10, async (size) => {
    const controller = new AbortController();
    const waiting = each(size, () => ownWorker.dequeue({ signal: controller.signal }));
    controller.abort();
    await Promise.allSettled(waiting);
  }),
);

await reportHeap('whenIdle() on an idle and on a busy queue', times, (count) =>
  inBursts(count, 1_000, async (size) => {
    const task = await queue.enqueue(async () => {});
    await Promise.all(each(size, () => queue.whenIdle()));
    await task.result();
  }),
);

await app.close();

async function failing(): Promise<never> {
  throw new Error('no sugar');
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
