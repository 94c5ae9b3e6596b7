import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { BackgroundModule, defineTask, TaskHandler, TaskQueue, type TaskContext } from 'nestjs-nightshift';
import { expect, it } from 'vitest';
import { sqliteEngine } from './index.js';

const add = defineTask<{ a: number; b: number }, number>('add', {
  retry: { maxAttempts: 2, backoff: { delayMs: () => 1 } },
});
let failures = 1;

@Injectable()
@TaskHandler(add)
class Adder implements TaskHandler<typeof add> {
  handle({ a, b }: { a: number; b: number }, context: TaskContext) {
    context.progress(0.5, 'half');
    context.log('adding');
    if (a < 0 && failures-- > 0) throw new TypeError('negative', { cause: new Error('deep') });
    return a + b;
  }
}

it('runs a task', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ns-'));
  const file = join(dir, 'a.db');
  @Module({
    imports: [BackgroundModule.forRoot({ engine: sqliteEngine({ file }), queue: { concurrency: 10 } })],
    providers: [Adder],
  })
  class App {}
  const ref = await Test.createTestingModule({ imports: [App] }).compile();
  const app = ref.createNestApplication();
  await app.init();
  const queue = app.get(TaskQueue);
  const task = await queue.enqueue(add, { a: 1, b: 2 });
  expect(await task.result()).toBe(3);
  const t2 = await queue.enqueue(add, { a: -1, b: 2 });
  expect(await t2.result()).toBe(1);
  console.log(task.id, await t2.state());
  const engine = (queue as any).engine;
  console.dir(await engine.details(t2.id), { depth: 6 });
  console.log(await engine.counts(), await engine.search({ limit: 1 }));
  const N = 20000;
  for (const handles of [
    await Promise.all(Array.from({ length: 1000 }, (_, i) => queue.enqueue(add, { a: i, b: 1 }))),
  ])
    await Promise.all(handles.map((h) => h.result()));
  const t = performance.now();
  const hs = await Promise.all(Array.from({ length: N }, (_, i) => queue.enqueue(add, { a: i, b: 1 })));
  console.log('enqueue/s', Math.round((N / (performance.now() - t)) * 1000));
  await queue.whenIdle();
  console.log('all/s', Math.round((N / (performance.now() - t)) * 1000), hs.length);
  await app.close();
  rmSync(dir, { recursive: true });
}, 30000);
