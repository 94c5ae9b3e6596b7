import 'reflect-metadata';
// What stays in the heap of producers that wait for space under a signal.
import { NestFactory } from '@nestjs/core';
import { BackgroundModule, TaskQueue } from 'nestjs-nightshift';
import { reportHeap, times } from './measurement.js';

const app = await NestFactory.createApplicationContext(BackgroundModule.forRoot({ queue: { capacity: 1 } }), {
  logger: false,
});
await app.init();
const narrow = app.get(TaskQueue);

const { signal } = new AbortController();
await reportHeap('producers that wait for space under a signal that lives on', times, (count) =>
  inBursts(count, 1_000, async (size) => {
    await Promise.all(each(size, () => narrow.enqueue(async () => {}, { signal })));
    await narrow.whenIdle();
  }),
);

await reportHeap('producers that give up waiting for space', times, (count) =>
  inBursts(count, 1_000, async (size) => {
    narrow.pause();
    const controller = new AbortController();
    const waiting = each(size, () => narrow.enqueue(async () => {}, { signal: controller.signal }));
    controller.abort();
    await Promise.allSettled(waiting);
    narrow.resume();
    await narrow.whenIdle();
  }),
);

await app.close();

/** In crowds, each of which is over before the next. */
async function inBursts(count: number, of: number, work: (size: number) => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done += of) await work(Math.min(of, count - done));
}

function each<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}
