import 'reflect-metadata';
// What stays on one signal that lives on, of all that has waited under it, and on signals that abort.
import { getEventListeners } from 'node:events';
import { Injectable, Module, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundModule,
  BackgroundService,
  getTaskQueueToken,
  ServiceScopeFactory,
  TaskQueue,
  type TickContext,
} from 'nestjs-nightshift';
import { createBoundedChannel, PeriodicTimer } from 'nestjs-nightshift/channels';
import { ManualClock } from 'nestjs-nightshift/testing';
import { report, times } from './measurement.js';

const clock = new ManualClock();

@Injectable({ scope: Scope.REQUEST })
class Connection {}

/** Its ticks have a signal each, which follows that of the service. */
@BackgroundService({ every: '1s', timeout: '1m' })
class Limited implements BackgroundService {
  readonly tokens = new Set<AbortSignal>();
  execute(stoppingToken: AbortSignal): void {
    this.tokens.add(stoppingToken);
  }
}

/** Its ticks share the signal of the service. */
@BackgroundService({ every: '1s' })
class Unlimited implements BackgroundService {
  readonly tokens = new Set<AbortSignal>();
  async execute(stoppingToken: AbortSignal, { scope }: TickContext): Promise<void> {
    this.tokens.add(stoppingToken);
    await scope.resolve(Connection);
  }
}

/** Many of its ticks run at once, each under a signal of its own. */
@BackgroundService({ every: '1s', timeout: '20500ms', overlap: 'parallel' })
class Overlapping implements BackgroundService {
  async execute(stoppingToken: AbortSignal): Promise<void> {
    await new Promise((resolve) => stoppingToken.addEventListener('abort', resolve, { once: true }));
  }
}

@Module({
  imports: [
    BackgroundModule.forRoot({ clock, queue: { capacity: 1_000, concurrency: 100 } }),
    BackgroundModule.registerQueue({ name: 'narrow', capacity: 0 }, { name: 'own worker', concurrency: 0 }),
  ],
  providers: [Connection, Limited, Unlimited, Overlapping],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
await app.init();
const scopes = app.get(ServiceScopeFactory);
const [queue, narrow, ownWorker] = ['default', 'narrow', 'own worker'].map((name) =>
  app.get<TaskQueue>(getTaskQueueToken(name)),
) as [TaskQueue, TaskQueue, TaskQueue];

const { signal: lasting } = new AbortController();

/** Does something under the signal that lives on, `crowd` at a time, until it has been done often enough. */
async function reportListeners(
  what: string,
  crowd: number,
  under: (signal: AbortSignal, crowd: number) => Promise<unknown>,
): Promise<void> {
  for (let done = 0; done < times; done += crowd) await under(lasting, crowd);
  report({ what: `${what}, answered`, times, left: getEventListeners(lasting, 'abort').length });
}

/** Lets many wait under a signal, and aborts it. */
async function reportListenersOfAborted(
  what: string,
  wait: (signal: AbortSignal) => Promise<unknown>,
  count = times,
): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const waits = Array.from({ length: count }, () => wait(signal));
  controller.abort();
  const outcomes = await Promise.allSettled(waits);
  const given = outcomes.filter(({ status }) => status === 'rejected').length;
  if (given !== count) throw new Error(`only ${given} of ${count} gave up: ${what}`);
  report({ what: `${what}, given up`, times: count, left: getEventListeners(signal, 'abort').length });
}

const each = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

await reportListeners('read()', 100, async (signal, crowd) => {
  const { reader, writer } = createBoundedChannel<number>(1);
  const reads = each(crowd, () => reader.read({ signal }));
  for (let item = 0; item < crowd; item += 1) writer.tryWrite(item);
  await Promise.all(reads);
});
await reportListeners('read() of a channel that is completed', 100, async (signal, crowd) => {
  const { reader, writer } = createBoundedChannel<number>(1);
  const reads = each(crowd, () => reader.read({ signal }));
  writer.complete();
  await Promise.allSettled(reads);
});
await reportListeners('write()', 100, async (signal, crowd) => {
  const { reader, writer } = createBoundedChannel<number>(0);
  const writes = each(crowd, () => writer.write(1, { signal }));
  for (let item = 0; item < crowd; item += 1) reader.tryRead();
  await Promise.all(writes);
});
await reportListeners('waitToRead()', 100, async (signal, crowd) => {
  const { reader, writer } = createBoundedChannel<number>(1);
  const waits = each(crowd, () => reader.waitToRead({ signal }));
  writer.tryWrite(1);
  await Promise.all(waits);
});
await reportListeners('waitToWrite()', 100, async (signal, crowd) => {
  const { reader, writer } = createBoundedChannel<number>(1);
  writer.tryWrite(1);
  const waits = each(crowd, () => writer.waitToWrite({ signal }));
  reader.tryRead();
  await Promise.all(waits);
});
await reportListeners('readAll()', 100, async (signal, crowd) => {
  const { reader, writer } = createBoundedChannel<number>(1);
  const loops = each(crowd, async () => {
    for await (const item of reader.readAll({ signal })) return item;
    return undefined;
  });
  for (let item = 0; item < crowd; item += 1) await writer.write(item);
  await Promise.all(loops);
});
const timers = each(100, () => new PeriodicTimer('1s', { clock }));
await reportListeners('waitForNextTick()', 100, async (signal) => {
  const waits = timers.map((timer) => timer.waitForNextTick({ signal }));
  await clock.advance('1s');
  await Promise.all(waits);
});
await reportListeners('waitForNextTick() of a timer that is disposed', 100, async (signal, crowd) => {
  const disposed = each(crowd, () => new PeriodicTimer('1s', { clock }));
  const waits = disposed.map((timer) => timer.waitForNextTick({ signal }));
  for (const timer of disposed) timer.dispose();
  await Promise.all(waits);
});
await reportListeners('enqueue()', 100, async (signal, crowd) => {
  await Promise.all(each(crowd, () => queue.enqueue(() => 1, { signal })));
  await queue.whenIdle();
});
await reportListeners('enqueue() that waits for space', 100, async (signal, crowd) => {
  await Promise.all(each(crowd, () => narrow.enqueue(() => 1, { signal })));
  await narrow.whenIdle();
});
await reportListeners('dequeue() and run()', 100, async (signal, crowd) => {
  const waits = each(crowd, () => ownWorker.dequeue({ signal }));
  await Promise.all(each(crowd, () => ownWorker.enqueue(async () => {})));
  await Promise.all((await Promise.all(waits)).map((task) => task.run({ signal })));
});
await reportListeners('run() of tasks that fail', 100, async (signal, crowd) => {
  await Promise.all(each(crowd, () => ownWorker.enqueue(() => Promise.reject(new Error('no sugar')))));
  const tasks = await Promise.all(each(crowd, () => ownWorker.dequeue({ signal })));
  await Promise.all(tasks.map((task) => task.run({ signal })));
});
await reportListeners('work in scopes', 100, async (signal, crowd) => {
  await Promise.all(
    each(crowd, () => scopes.run(async (scope) => (signal.aborted ? undefined : scope.resolve(Connection)))),
  );
});

for (let done = 0; done < times; done += 1_000) await clock.advance(1_000_000);
for (const { tokens } of [app.get(Limited), app.get(Unlimited)]) {
  const listeners = [...tokens].map((token) => getEventListeners(token, 'abort').length);
  report({ what: `the signals of ticks, ${tokens.size} in all`, times, left: Math.max(...listeners) });
}

await reportListenersOfAborted('read()', (signal) => createBoundedChannel<number>(1).reader.read({ signal }));
await reportListenersOfAborted('waitToRead()', (signal) =>
  createBoundedChannel<number>(1).reader.waitToRead({ signal }),
);
await reportListenersOfAborted('readAll()', (signal) =>
  createBoundedChannel<number>(1).reader.readAll({ signal })[Symbol.asyncIterator]().next(),
);
await reportListenersOfAborted('write()', (signal) =>
  createBoundedChannel<number>(0).writer.write(1, { signal }),
);
await reportListenersOfAborted('waitToWrite()', (signal) =>
  createBoundedChannel<number>(0).writer.waitToWrite({ signal }),
);
await reportListenersOfAborted('waitForNextTick()', (signal) =>
  new PeriodicTimer('1s', { clock }).waitForNextTick({ signal }),
);
await reportListenersOfAborted('enqueue() that waits for space', (signal) => {
  narrow.pause();
  return narrow.enqueue(() => 1, { signal });
});
await reportListenersOfAborted('dequeue()', (signal) => ownWorker.dequeue({ signal }));
narrow.resume();

await app.close();
