import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { promise as fastq } from 'fastq';
import { BackgroundModule, TaskQueue } from 'nestjs-nightshift';
import PQueue from 'p-queue';
import type { Row } from './comparison.js';

@Module({})
class EmptyModule {}

const work = async (): Promise<void> => {};
const call = (closure: () => Promise<void>): Promise<void> => closure();
const burst = 300_000;

/** Handing closures over: one at a time and awaited, then very many at once. */
export async function closureRows(): Promise<{ rows: Row[]; close: () => Promise<void> }> {
  const module = BackgroundModule.forRoot({ queue: { capacity: 100 } });
  const roomy = BackgroundModule.registerQueue({ name: 'roomy', capacity: burst });
  const app = await NestFactory.createApplicationContext(
    { module: EmptyModule, imports: [module, roomy] },
    { logger: false },
  );
  const queue = app.get(TaskQueue);
  const roomyQueue = app.get<TaskQueue>('TaskQueue(roomy)');

  const awaited: Row = {
    name: 'closure, enqueue to done, each awaited',
    amount: 100_000,
    ours: {
      name: 'nightshift',
      async run(amount) {
        for (let i = 0; i < amount; i += 1) await (await queue.enqueue(work)).result();
      },
    },
    peers: [
      {
        name: 'fastq.promise',
        target: 1,
        async run(amount) {
          const peer = fastq(call, 1);
          for (let i = 0; i < amount; i += 1) await peer.push(work);
        },
      },
      {
        name: 'p-queue',
        target: 5,
        async run(amount) {
          const peer = new PQueue({ concurrency: 1 });
          for (let i = 0; i < amount; i += 1) await peer.add(work);
        },
      },
    ],
  };

  const atOnce: Row = {
    name: `burst of ${burst.toLocaleString('en')} closures queued at once`,
    amount: burst,
    ours: {
      name: 'nightshift',
      async run(amount) {
        for (let i = 0; i < amount; i += 1) void roomyQueue.enqueue(work);
        await roomyQueue.whenIdle();
      },
    },
    peers: [
      {
        name: 'fastq.promise',
        target: 5,
        async run(amount) {
          const peer = fastq(call, 1);
          const pushed: Promise<void>[] = [];
          for (let i = 0; i < amount; i += 1) pushed.push(peer.push(work));
          await Promise.all(pushed);
        },
      },
      {
        name: 'p-queue',
        target: 10,
        async run(amount) {
          const peer = new PQueue({ concurrency: 1 });
          for (let i = 0; i < amount; i += 1) void peer.add(work);
          await peer.onIdle();
        },
      },
    ],
  };

  return { rows: [awaited, atOnce], close: () => app.close() };
}
