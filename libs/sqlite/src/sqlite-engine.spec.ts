import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { BackgroundModule, defineTask, TaskHandler, TaskQueue, type TaskContext } from 'nestjs-nightshift';
import { expect, it, onTestFinished, vi } from 'vitest';
import { sqliteEngine } from './index.js';
import { SqliteStorage } from './sqlite-storage.js';

const add = defineTask<{ a: number; b: number }, number>('add');

@Injectable()
@TaskHandler(add)
class Adder implements TaskHandler<typeof add> {
  handle({ a, b }: { a: number; b: number }, context: TaskContext) {
    context.progress(0.5, 'half');
    context.log('adding');
    return a + b;
  }
}

async function setup(file: string, concurrency = 10) {
  @Module({
    imports: [BackgroundModule.forRoot({ engine: sqliteEngine({ file }), queue: { concurrency } })],
    providers: [Adder],
  })
  class App {}
  const module = await Test.createTestingModule({ imports: [App] }).compile();
  const app = module.createNestApplication();
  await app.init();
  return { app, queue: app.get(TaskQueue) };
}

it('runs a task, and knows its result after a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nightshift-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'tasks.db');
  const first = await setup(file);
  const task = await first.queue.enqueue(add, { a: 1, b: 2 });
  expect(await task.result()).toBe(3);
  expect(await task.state()).toBe('completed');
  await first.app.close();
  const second = await setup(file);
  const again = await second.queue.find(task.id);
  expect(await again?.result()).toBe(3);
  await second.app.close();
});

it('claims as many tasks at a time as it has places, however many it has run before', async () => {
  const claim = vi.spyOn(SqliteStorage.prototype, 'claim');
  onTestFinished(() => claim.mockRestore());
  const { app, queue } = await setup(':memory:', 100);
  await queue.pause();
  await queue.enqueueMany(
    add,
    Array.from({ length: 500 }, (_, a) => ({ a, b: 1 })),
  );
  await queue.resume();
  await queue.whenIdle();
  await app.close();
  const claims = await Promise.all(claim.mock.results.map(({ value }) => value));
  expect(claims.map(({ tasks }) => tasks.length).filter((count) => count > 0)).toEqual(
    Array.from({ length: 5 }, () => 100),
  );
});
