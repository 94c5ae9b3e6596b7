import { EventEmitter, once } from 'node:events';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  BackgroundEvents,
  BackgroundModule,
  defineTask,
  storedEngine,
  TaskHandler,
  TaskQueue,
  type ClaimResult,
  type Heartbeat,
  type TaskStorage,
  type WorkerId,
} from 'nestjs-nightshift';
import { expect, it, onTestFinished } from 'vitest';
import { SqliteStorage } from './sqlite-storage.js';
import { newFile, openStorage } from './store.fixture.js';

const bake = defineTask('bake');

function gate() {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

/** The answer to the first claim that takes something is long under way, as that of another thread may be. */
class LateAnswers extends SqliteStorage {
  readonly claimed = gate();
  readonly answer = gate();

  override async claim(request: Parameters<TaskStorage['claim']>[0]): Promise<ClaimResult> {
    const result = await super.claim(request);
    if (result.tasks.length === 0) return result;
    this.claimed.open();
    await this.answer.opened;
    return result;
  }
}

/** Tells of each sign of life. */
class Beating extends SqliteStorage {
  readonly heart = new EventEmitter();

  override async beat(worker: WorkerId): Promise<Heartbeat> {
    const answer = await super.beat(worker);
    this.heart.emit('beat');
    return answer;
  }
}

async function setup(storage: SqliteStorage, work: () => Promise<unknown> = () => Promise.resolve()) {
  const begun: string[] = [];

  @Injectable()
  @TaskHandler(bake)
  class Baker implements TaskHandler<typeof bake> {
    async handle(): Promise<void> {
      begun.push('bake');
      await work();
    }
  }

  const engine = storedEngine({ storage, leaseMs: 1_000, pollIntervalMs: 10, maxInterruptions: 10 });
  @Module({ imports: [BackgroundModule.forRoot({ engine })], providers: [Baker] })
  class App {}
  const module = await Test.createTestingModule({ imports: [App] }).compile();
  const app = module.createNestApplication({ logger: false });
  await app.init();
  onTestFinished(() => app.close());
  return { app, queue: app.get(TaskQueue), events: app.get(BackgroundEvents), begun };
}

const options = { synchronous: 'normal', patienceMs: 1_000, isThreaded: false } as const;

it('gives back, and does not begin, what it had claimed when the answer comes while it stops', async () => {
  const file = newFile();
  const storage = new LateAnswers({ ...options, file });
  const { app, queue, events, begun } = await setup(storage);
  const { id } = await queue.enqueue(bake);
  await storage.claimed.opened;
  events.on('queue.draining', () => setImmediate(storage.answer.open));
  await app.close();
  expect(begun).toEqual([]);
  const task = await (await openStorage(file)).details('default', id);
  expect(task).toMatchObject({ state: 'waiting', attempts: [] });
});

it('gives back, and does not begin, what it had claimed when the answer comes after pause(), and stays paused', async () => {
  const storage = new LateAnswers({ ...options, file: newFile() });
  const { queue, begun } = await setup(storage);
  const task = await queue.enqueue(bake);
  await storage.claimed.opened;
  await queue.pause();
  storage.answer.open();
  await expect.poll(() => task.state()).toBe('waiting');
  expect(begun).toEqual([]);
  await queue.resume();
  await task.result();
});

it('goes on under a new number when others have taken it for dead, and leaves no task behind', async () => {
  const file = newFile();
  const storage = new Beating({ ...options, file });
  const { queue, begun } = await setup(storage, async () => {
    for (let beats = 0; beats < 2; beats += 1) await once(storage.heart, 'beat');
  });
  await (await queue.enqueue(bake)).result();
  const other = await openStorage(file);
  const { workers } = await other.beat(await other.register('another process', 0));
  await other.recover([workers[0]!.worker], Date.now(), 10);
  const task = await queue.enqueue(bake);
  await task.result();
  expect(await task.state()).toBe('completed');
  expect(begun).toHaveLength(2);
});
