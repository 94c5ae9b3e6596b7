import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { Injectable, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Interval, ScheduleModule } from '@nestjs/schedule';
import { BackgroundModule, BackgroundService } from 'nestjs-nightshift';
import { startWatch } from './stopwatch.js';

/** What an application is made of that is booted. */
export type Variant = 'longRunning' | 'ticked' | 'intervals' | 'plain';

const amount = 100;

@Module({})
class EmptyModule {}

/** A class for each provider, as in real life: what the container knows of one says nothing of the next. */
const makers: Record<Variant, () => Type> = {
  longRunning: () =>
    class {
      execute(stoppingToken: AbortSignal): Promise<void> {
        return new Promise((resolve) =>
          stoppingToken.addEventListener('abort', () => resolve(), { once: true }),
        );
      }
    },
  ticked: makeTicker,
  intervals: () => {
    const type = makeTicker();
    const execute = Object.getOwnPropertyDescriptor(type.prototype, 'execute')!;
    Interval(3_600_000)(type.prototype as object, 'execute', execute);
    return type;
  },
  plain: makeTicker,
};

const decorators: Record<Variant, () => ClassDecorator> = {
  longRunning: () => BackgroundService(),
  ticked: () => BackgroundService({ every: '1h' }),
  intervals: () => Injectable(),
  plain: () => Injectable(),
};

function makeTicker(): Type {
  return class {
    async execute(): Promise<void> {}
  };
}

const made = new Map<Variant, Type[]>();

function classesOf(variant: Variant): Type[] {
  const classes = made.get(variant) ?? Array.from({ length: amount }, (_, index) => make(variant, index));
  made.set(variant, classes);
  return classes;
}

function make(variant: Variant, index: number): Type {
  const type = makers[variant]();
  Object.defineProperty(type, 'name', { value: `${variant}${index}` });
  decorators[variant]()(type);
  return type;
}

/** Boots an application and closes it again. Gives how long the boot took, in milliseconds. */
export async function bootOnce(variant: Variant): Promise<number> {
  const providers = classesOf(variant);
  const imports = {
    longRunning: () => [BackgroundModule.forRoot()],
    ticked: () => [BackgroundModule.forRoot()],
    intervals: () => [ScheduleModule.forRoot()],
    plain: () => [],
  }[variant]();
  const elapsedMs = startWatch();
  const app = await NestFactory.createApplicationContext(
    { module: EmptyModule, imports, providers },
    { logger: false },
  );
  const bootMs = elapsedMs();
  await app.close();
  return bootMs;
}

// Run as a process of its own, it boots once and tells how long that took.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.send!(await bootOnce(process.argv[2] as Variant));
  process.disconnect();
}
