import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Interval, ScheduleModule } from '@nestjs/schedule';
import {
  BackgroundModule,
  BackgroundService,
  systemClock,
  type Clock,
  type TickContext,
} from 'nestjs-nightshift';
import { Timeline } from './timeline.js';

/** Lets all contenders tick beside each other: ours, a timer for each place of the grid, `setInterval`, `@Interval`. */
export async function runTimelines(periodMs: number, amount: number): Promise<Timeline[]> {
  const ours = await startOurs(periodMs);
  const contenders = [
    ours,
    // The same due times: Node's timers count whole milliseconds, so how late they are depends on where the grid begins.
    startGrid(periodMs, ours.timeline.firstDueAt),
    startInterval(periodMs),
    await startSchedule(periodMs),
  ];
  await delay(periodMs * amount);
  const timelines = contenders.map(({ timeline }) => timeline);
  for (const { stop } of contenders) await stop();
  return timelines;
}

interface Running {
  readonly timeline: Timeline;
  stop(): unknown;
}

async function startOurs(periodMs: number): Promise<Running> {
  const timeline = new Timeline(periodMs, Number.NaN, true);
  // Only here does the due time of the first tick come by with its fractions.
  const clock: Clock = {
    ...systemClock,
    schedule(delayMs, callback) {
      if (Number.isNaN(timeline.firstDueAt) && delayMs <= periodMs)
        timeline.firstDueAt = performance.now() + delayMs;
      return systemClock.schedule(delayMs, callback);
    },
  };

  @BackgroundService({ every: periodMs })
  class Ticker implements BackgroundService {
    async execute(_: AbortSignal, tick?: TickContext): Promise<void> {
      timeline.add(performance.now(), tick!.missed);
    }
  }
  const app = await open([BackgroundModule.forRoot({ clock })], Ticker);
  return { timeline, stop: () => app.close() };
}

function startGrid(periodMs: number, firstDueAt: number): Running {
  const begunAt = firstDueAt - periodMs;
  const timeline = new Timeline(periodMs, firstDueAt, true);
  let place = 1;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const dueAt = begunAt + place * periodMs;
    timer = setTimeout(fire, Math.ceil(dueAt - performance.now()));
  };
  let missed = 0;
  const fire = (): void => {
    const now = performance.now();
    if (now >= begunAt + place * periodMs) {
      const latest = Math.floor((now - begunAt) / periodMs);
      missed = latest - place;
      place = latest + 1;
      timeline.add(now, missed);
    }
    arm();
  };
  arm();
  return { timeline, stop: () => clearTimeout(timer) };
}

function startInterval(periodMs: number): Running {
  const timeline = new Timeline(periodMs, performance.now() + periodMs, false);
  const timer = setInterval(() => timeline.add(performance.now()), periodMs);
  return { timeline, stop: () => clearInterval(timer) };
}

async function startSchedule(periodMs: number): Promise<Running> {
  const timeline = new Timeline(periodMs, Number.NaN, false);

  @Injectable()
  class Ticker {
    @Interval(periodMs)
    tick(): void {
      if (Number.isNaN(timeline.firstDueAt)) timeline.firstDueAt = performance.now();
      timeline.add(performance.now());
    }
  }
  const app = await open([ScheduleModule.forRoot()], Ticker);
  return { timeline, stop: () => app.close() };
}

@Module({})
class EmptyModule {}

function open(
  imports: NonNullable<Parameters<typeof Module>[0]['imports']>,
  provider: Type,
): Promise<{ close(): Promise<void> }> {
  return NestFactory.createApplicationContext(
    { module: EmptyModule, imports, providers: [provider] },
    { logger: false },
  );
}
