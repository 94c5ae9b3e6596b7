import 'reflect-metadata';
// What is still reachable when work has ended and only its handle is kept, and when a scope is disposed or dropped.
import { Injectable, Module, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundContext,
  BackgroundHost,
  BackgroundModule,
  BackgroundService,
  getTaskQueueToken,
  InjectBackgroundContext,
  ServiceScopeFactory,
  TaskQueue,
  type TaskContext,
  type TaskHandle,
  type TaskWork,
  type TickContext,
} from 'nestjs-nightshift';
import { ManualClock } from 'nestjs-nightshift/testing';
import { collectGarbage, countAlive, report, times } from './measurement.js';

const clock = new ManualClock();

/** What the scopes created, and what was handed to work. */
class Watched {
  readonly references: WeakRef<object>[] = [];
  note<T extends object>(object: T): T {
    this.references.push(new WeakRef(object));
    return object;
  }
}

const instances = new Watched();

@Injectable({ scope: Scope.REQUEST })
class Connection implements AsyncDisposable {
  constructor(@InjectBackgroundContext() readonly context: TaskContext | TickContext) {
    instances.note(this);
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

@Injectable({ scope: Scope.REQUEST })
class Orders {
  constructor(readonly connection: Connection) {
    instances.note(this);
  }
}

const contexts = new Watched();

@BackgroundService({ every: '1s' })
class Cleanup implements BackgroundService {
  constructor(readonly orders: Orders) {}
  async execute(_stoppingToken: AbortSignal, tick: TickContext): Promise<void> {
    contexts.note(tick);
  }
}

@Module({
  imports: [
    BackgroundModule.forRoot({ clock }),
    BackgroundModule.registerQueue(
      { name: 'dropping', capacity: 1, fullMode: 'dropOldest' },
      { name: 'own worker', concurrency: 0 },
    ),
  ],
  providers: [Connection, Orders, Cleanup],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
await app.init();
const scopes = app.get(ServiceScopeFactory);
const [queue, dropping, ownWorker] = ['default', 'dropping', 'own worker'].map((name) =>
  app.get<TaskQueue>(getTaskQueueToken(name)),
) as [TaskQueue, TaskQueue, TaskQueue];

type Watches = Record<'work' | 'payload' | 'context', Watched>;

/** Reports how many of the watched objects are left when the repeated work is over and only `kept` is held. */
async function reportLeft(what: string, repeat: (watched: Watches) => Promise<unknown>): Promise<void> {
  const watched = { work: new Watched(), payload: new Watched(), context: new Watched() };
  const kept: unknown[] = [];
  for (let done = 0; done < times; done += 1) kept.push(await repeat(watched));
  await queue.whenIdle();
  await collectGarbage();
  for (const [kind, { references }] of Object.entries({ ...watched, instances }))
    report({ what: `${kind} of ${what}`, times: references.length, left: countAlive(references) });
  instances.references.length = 0;
  if (kept.length !== times) throw new Error('never'); // held until here
}

/** Work over a payload, with a scope, that ends as `end` does. */
function work<R>(
  { work, payload, context }: Watches,
  end: (context: TaskContext) => R | Promise<R>,
): TaskWork<R> {
  const data = payload.note({ sugar: 1 });
  return work.note(async (task: TaskContext) => {
    context.note(task);
    await task.scope.resolve(Orders);
    if (BackgroundContext.current() !== task || data.sugar !== 1) throw new Error('never');
    return await end(task);
  });
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

await reportLeft('completed tasks', async (watched) => {
  const task = await queue.enqueue(
    work(watched, () => 1),
    { metadata: watched.payload.note({ of: {} }) },
  );
  await task.result();
  return task;
});
await reportLeft('completed tasks that nobody asked for their result', async (watched) => {
  const task = await queue.enqueue(work(watched, () => 1));
  await queue.whenIdle();
  return task;
});
await reportLeft('failed tasks', async (watched) => {
  const task = await queue.enqueue(work(watched, () => Promise.reject(new Error('no sugar'))));
  // A stack that nobody has read yet holds the functions it will name.
  await task.result().catch((error: unknown) => (error as Error).stack);
  return task;
});
await reportLeft('tasks cancelled while they wait', async (watched) => {
  queue.pause();
  const task = await queue.enqueue(work(watched, () => 1));
  await task.cancel('not needed');
  queue.resume();
  return task;
});
await reportLeft('tasks cancelled while they run', async (watched) => {
  const task = await queue.enqueue(work(watched, ({ signal }) => aborted(signal)));
  await turn();
  await task.cancel('not needed');
  await queue.whenIdle();
  return task;
});
await reportLeft('tasks that timed out', async (watched) => {
  const task = await queue.enqueue(
    work(watched, ({ signal }) => aborted(signal)),
    { timeout: '1s' },
  );
  await turn();
  await clock.advance('1s');
  await queue.whenIdle();
  return task;
});
await reportLeft('dropped tasks', async (watched) => {
  dropping.pause();
  const task = await dropping.enqueue(work(watched, () => 1));
  await dropping.enqueue(async () => {});
  return task;
});
dropping.resume();
await reportLeft('dequeued tasks', async (watched) => {
  const handle: TaskHandle = await ownWorker.enqueue(work(watched, () => 1));
  const task = await ownWorker.dequeue();
  await task.run();
  return [handle, task];
});
await reportLeft('tasks under a promise and a timer from outside', async (watched) => {
  const outside = new Promise<void>((resolve) => void clock.schedule(3_600_000, resolve));
  const task = await queue.enqueue(work(watched, () => 1));
  void outside.then(() => task.id);
  await task.result();
  return [outside, task];
});

const host = app.get(BackgroundHost);
const cleanup = host.service(Cleanup);
await reportLeft('tasks that reschedule a service', async (watched) => {
  const task = await queue.enqueue(
    work(watched, () => {
      cleanup.reschedule({ every: '1h' });
      cleanup.pause();
      cleanup.resume();
    }),
  );
  await task.result();
  return task;
});

/** Reports how many of the watched objects are left when work that leaves nothing to hold has been repeated. */
async function reportGone(
  what: string,
  watched: readonly Watched[],
  repeat: () => Promise<unknown>,
): Promise<void> {
  for (let done = 0; done < times; done += 1) await repeat();
  await collectGarbage();
  for (const { references } of watched) {
    report({ what, times: references.length, left: countAlive(references) });
    references.length = 0;
  }
}

await reportGone('context or instance of ticks', [contexts, instances], () => cleanup.trigger());
await reportGone('instance of scopes that ran', [instances], () =>
  scopes.run((scope) => scope.resolve(Orders)),
);
await reportGone('instance of scopes dropped without being disposed', [instances], () =>
  scopes.createScope({}).resolve(Orders),
);

await app.close();

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
