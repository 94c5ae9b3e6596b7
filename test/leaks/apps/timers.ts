import 'reflect-metadata';
// What stays armed, on the machine's own clock, of timers that were not needed to the end. The process ends by itself.
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundHost,
  BackgroundModule,
  BackgroundService,
  constant,
  TaskQueue,
  type ServiceHandle,
} from 'nestjs-nightshift';
import { PeriodicTimer } from 'nestjs-nightshift/channels';
import { report, times } from './measurement.js';

@BackgroundService({ every: '1h', timeout: '1h', jitter: '1m', overlap: 'parallel' })
class Ticking implements BackgroundService {
  async execute(): Promise<void> {}
}

@BackgroundService({ cron: '0 3 * * *', initialDelay: '1h' })
class Nightly implements BackgroundService {
  async execute(): Promise<void> {}
}

@BackgroundService({
  restart: { maxRestarts: 1e6, backoff: { delayMs: (failures) => (failures > 10 ? 3_600_000 : 1) } },
})
class Failing implements BackgroundService {
  async execute(): Promise<void> {
    throw new Error('no sugar');
  }
}

@BackgroundService({ restart: { backoff: constant('1h') } })
class Waiting implements BackgroundService {
  async execute(): Promise<void> {
    throw new Error('no sugar');
  }
}

@Module({
  imports: [BackgroundModule.forRoot({ queue: { capacity: times, concurrency: 100, timeout: '1h' } })],
  providers: [Ticking, Nightly, Failing, Waiting],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
await app.init();
const host = app.get(BackgroundHost);
const queue = app.get(TaskQueue);
const [ticking, nightly, failing, waiting] = [Ticking, Nightly, Failing, Waiting].map((type) =>
  host.service(type),
) as [ServiceHandle, ServiceHandle, ServiceHandle, ServiceHandle];

function reportArmed(what: string, count = times): void {
  const armed = process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
  report({ what, times: count, left: armed });
}

const each = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => void setImmediate(resolve));
}

ticking.pause();
nightly.pause();
await until(() => failing.restarts === 11 && waiting.restarts === 1);
await Promise.all([failing.stop(), waiting.stop()]);
reportArmed('restarts, the last of which is given up while it is waited for', 12);

for (const service of [ticking, nightly]) {
  for (let done = 0; done < times / 100; done += 1) {
    service.resume();
    service.reschedule({ every: '2h' });
    service.pause();
  }
}
reportArmed('schedules paused', times / 50);
await Promise.all(each(times, () => ticking.trigger()));
reportArmed('ticks with a timeout');

await Promise.all(each(times, () => queue.enqueue(async () => {})));
await queue.whenIdle();
reportArmed('tasks with a timeout that end before it');
await Promise.all(each(times, () => queue.enqueue(() => Promise.reject(new Error('no sugar')))));
await queue.whenIdle();
reportArmed('tasks with a timeout that fail before it');
for (const task of await Promise.all(each(times, () => queue.enqueue(({ signal }) => aborted(signal))))) {
  await task.cancel();
}
await queue.whenIdle();
reportArmed('tasks with a timeout, cancelled');
await Promise.all(each(100, () => queue.enqueue(({ signal }) => aborted(signal), { timeout: '1ms' })));
await queue.whenIdle();
reportArmed('tasks that time out', 100);

const timers = each(times, () => new PeriodicTimer('1h'));
const controller = new AbortController();
const waits = timers.map((timer, index) =>
  timer.waitForNextTick(index % 2 === 0 ? { signal: controller.signal } : {}),
);
controller.abort();
for (const timer of timers) timer.period = '2h';
for (const timer of timers) timer.dispose();
await Promise.allSettled(waits);
reportArmed('waits on timers, given up or ended');

ticking.resume();
nightly.resume();
await Promise.all([failing.start(), waiting.start()]);
const busy = await queue.enqueue(({ signal }) => aborted(signal));
await busy.cancel();
await app.close();
reportArmed('an application that is closed', 1);

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
