import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { BackgroundModule, defineTask, TaskHandler, TaskQueue, type TaskContext } from 'nestjs-nightshift';
import { expect, it, onTestFinished } from 'vitest';
import { sqliteEngine } from './index.js';

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

async function setup(file: string) {
  @Module({
    imports: [BackgroundModule.forRoot({ engine: sqliteEngine({ file }), queue: { concurrency: 10 } })],
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
