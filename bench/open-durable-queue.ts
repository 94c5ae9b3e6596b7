import 'reflect-metadata';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundModule,
  defineTask,
  DurableTaskQueue,
  TaskHandler,
  TaskQueue,
  type TaskQueueOptions,
} from 'nestjs-nightshift';
import { sqliteEngine, type SqliteEngineOptions } from 'nestjs-nightshift/sqlite';
import { callers, payload, type Payload } from './durable-work.js';

const resize = defineTask<Payload, void>('resize');

@Injectable()
@TaskHandler(resize)
class Resizer implements TaskHandler<typeof resize> {
  async handle(): Promise<void> {}
}

@Module({ providers: [Resizer] })
class AppModule {}

export interface OpenDurableQueue {
  readonly queue: DurableTaskQueue;
  readonly file: string;
  enqueue(): Promise<unknown>;
  /** All in one call. */
  enqueueMany(amount: number): Promise<unknown>;
  /** Ends the application, and removes the file. */
  close(): Promise<void>;
}

/** The queue of an application that keeps its tasks in a new SQLite file, with a handler that does nothing. */
export async function openDurableQueue(
  engine: Pick<SqliteEngineOptions, 'thread' | 'synchronous'> = {},
  retention?: TaskQueueOptions['retention'],
): Promise<OpenDurableQueue> {
  const directory = await mkdtemp(join(tmpdir(), 'nightshift-bench-'));
  const file = join(directory, 'tasks.db');
  const imports = [
    BackgroundModule.forRoot({
      engine: sqliteEngine({ ...engine, file }),
      queue: { concurrency: callers, retention },
    }),
  ];
  const app = await NestFactory.createApplicationContext({ module: AppModule, imports }, { logger: false });
  const queue = app.get(TaskQueue) as DurableTaskQueue;
  return {
    queue,
    file,
    enqueue: () => queue.enqueue(resize, payload),
    enqueueMany: (amount) =>
      queue.enqueueMany(
        resize,
        Array.from({ length: amount }, () => payload),
      ),
    async close() {
      await app.close();
      await rm(directory, { recursive: true });
    },
  };
}
