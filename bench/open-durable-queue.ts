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
  type BackgroundEngine,
  type TaskQueueOptions,
} from 'nestjs-nightshift';
import { sqliteEngine, type SqliteEngineOptions } from 'nestjs-nightshift/sqlite';
import { callers, payload, type Payload } from './durable-work.js';

const resize = defineTask<Payload, void>('resize');

@Injectable()
@TaskHandler(resize)
class Resizer implements TaskHandler<typeof resize> {
  private left = 0;
  private onNoneLeft: (() => void) | undefined;

  async handle(): Promise<void> {
    this.left -= 1;
    if (this.left === 0) this.onNoneLeft?.();
  }

  whenRun(amount: number): Promise<void> {
    this.left = amount;
    return new Promise((resolve) => {
      this.onNoneLeft = resolve;
    });
  }
}

@Module({ providers: [Resizer] })
class AppModule {}

export interface OpenQueue {
  readonly queue: DurableTaskQueue;
  enqueue(): Promise<unknown>;
  /** All in one call. */
  enqueueMany(amount: number): Promise<unknown>;
  /** Resolves when so many more have run. */
  whenRun(amount: number): Promise<void>;
  /** Works off what waits, and lets what comes then wait again. */
  clear(): Promise<void>;
  /** Ends the application. */
  close(): Promise<void>;
}

export interface OpenDurableQueue extends OpenQueue {
  readonly file: string;
}

/** The queue of an application on an engine, with a handler that does nothing. */
export async function openQueueOn(
  engine: BackgroundEngine,
  options: Pick<TaskQueueOptions, 'concurrency' | 'retention'> = {},
): Promise<OpenQueue> {
  const imports = [BackgroundModule.forRoot({ engine, queue: { concurrency: callers, ...options } })];
  const app = await NestFactory.createApplicationContext({ module: AppModule, imports }, { logger: false });
  const queue = app.get(TaskQueue) as DurableTaskQueue;
  const resizer = app.get(Resizer);
  return {
    queue,
    enqueue: () => queue.enqueue(resize, payload),
    enqueueMany: (amount) =>
      queue.enqueueMany(
        resize,
        Array.from({ length: amount }, () => payload),
      ),
    whenRun: (amount) => resizer.whenRun(amount),
    async clear() {
      await queue.resume();
      await queue.whenIdle();
      await queue.pause();
    },
    close: () => app.close(),
  };
}

/** The same on a new SQLite file, which is removed when the application has ended. */
export async function openDurableQueue(
  engine: Pick<SqliteEngineOptions, 'thread' | 'synchronous'> = {},
  retention?: TaskQueueOptions['retention'],
): Promise<OpenDurableQueue> {
  const directory = await mkdtemp(join(tmpdir(), 'nightshift-bench-'));
  const file = join(directory, 'tasks.db');
  const open = await openQueueOn(sqliteEngine({ ...engine, file }), { retention });
  return {
    ...open,
    file,
    async close() {
      await open.close();
      await rm(directory, { recursive: true });
    },
  };
}
