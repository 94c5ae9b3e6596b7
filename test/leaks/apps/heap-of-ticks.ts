import 'reflect-metadata';
// What stays in the heap of ticks, however they end, of restarts, and of what steers them and listens to them.
import { Injectable, Module, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundEvents,
  BackgroundHost,
  BackgroundModule,
  BackgroundService,
  constant,
  ServiceScopeFactory,
} from 'nestjs-nightshift';
import { ManualClock } from 'nestjs-nightshift/testing';
import { reportHeap, times } from './measurement.js';

const clock = new ManualClock();

@Injectable({ scope: Scope.REQUEST })
class Connection implements AsyncDisposable {
  async [Symbol.asyncDispose](): Promise<void> {}
}

@BackgroundService({ every: '1s' })
class Plain implements BackgroundService {
  execute(): void {}
}

@BackgroundService({ every: '1s' })
class Scoped implements BackgroundService {
  constructor(readonly connection: Connection) {}
  async execute(): Promise<void> {}
}

@BackgroundService({ every: '1s', timeout: '10s' })
class Failing implements BackgroundService {
  async execute(): Promise<void> {
    throw new Error('no sugar');
  }
}

@BackgroundService({ every: '1s', timeout: '500ms' })
class TooLong implements BackgroundService {
  async execute(stoppingToken: AbortSignal): Promise<void> {
    await aborted(stoppingToken);
  }
}

@BackgroundService({ every: '1s', timeout: '2500ms', overlap: 'parallel' })
class Overlapping implements BackgroundService {
  async execute(stoppingToken: AbortSignal): Promise<void> {
    await aborted(stoppingToken);
  }
}

@BackgroundService({ every: '1s', timeout: '2500ms' })
class Skipping implements BackgroundService {
  async execute(stoppingToken: AbortSignal): Promise<void> {
    await aborted(stoppingToken);
  }
}

@BackgroundService({ restart: { maxRestarts: 1e9, within: '1ms', backoff: constant('1s') } })
class Restarting implements BackgroundService {
  async execute(): Promise<void> {
    throw new Error('no sugar');
  }
}

const ticking = [Plain, Scoped, Failing, TooLong, Overlapping, Skipping];

@Module({ imports: [BackgroundModule.forRoot({ clock })], providers: [Connection, ...ticking, Restarting] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
await app.init();
const host = app.get(BackgroundHost);
const events = app.get(BackgroundEvents);
for (const type of ticking) host.service(type).pause();
await host.service(Restarting).stop();

for (const type of ticking) {
  const service = host.service(type);
  service.resume();
  await reportHeap(`ticks of ${type.name}`, times, (count) => clock.advance(count * 1_000));
  if (service.lastTick === undefined) throw new Error(`${type.name} has not ticked`);
  service.pause();
}

await host.service(Restarting).start();
await reportHeap('restarts', times, (count) => clock.advance(count * 1_000));
if (host.service(Restarting).restarts < times) throw new Error('it has not been restarted');
await host.service(Restarting).stop();

const plain = host.service(Plain);
await reportHeap('ticks triggered by hand', times, async (count) => {
  for (let done = 0; done < count; done += 1) await plain.trigger();
});
await reportHeap('ticks paused, resumed and rescheduled', times, async (count) => {
  for (let done = 0; done < count; done += 1) {
    plain.reschedule({ every: 1_000 + (done % 10) });
    plain.resume();
    plain.pause();
  }
});
await reportHeap('services stopped and started', times / 10, async (count) => {
  for (let done = 0; done < count; done += 1) {
    await plain.stop();
    await plain.start();
  }
});

const scopes = app.get(ServiceScopeFactory);
await reportHeap('scopes of ServiceScopeFactory.run()', times, async (count) => {
  for (let done = 0; done < count; done += 1) await scopes.run((scope) => scope.resolve(Connection));
});
await reportHeap('scopes dropped without being disposed', times, async (count) => {
  for (let done = 0; done < count; done += 1) await scopes.createScope().resolve(Connection);
});

await reportHeap('listeners and subscriptions that come and go', times, async (count) => {
  for (let done = 0; done < count; done += 1) {
    const off = events.on('tick.started', () => {});
    const subscription = events.stream.subscribe(() => {});
    off();
    subscription.unsubscribe();
  }
});
const seen: Partial<Record<string, number>> = {};
const subscription = events.stream.subscribe(({ type }) => void (seen[type] = (seen[type] ?? 0) + 1));
await reportHeap('ticks that are listened to', times, async (count) => {
  for (let done = 0; done < count; done += 1) await plain.trigger();
});
subscription.unsubscribe();

await app.close();

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
