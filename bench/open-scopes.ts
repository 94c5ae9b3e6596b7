import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundHost,
  BackgroundModule,
  BackgroundService,
  ServiceScopeFactory,
  TaskQueue,
  systemClock,
  type Clock,
  type ServiceHandle,
} from 'nestjs-nightshift';
import { Connection, Repository, Service } from './scope-tree.js';

@Module({})
class AppModule {}

export interface Scopes {
  readonly scopes: ServiceScopeFactory;
  readonly queue: TaskQueue;
  readonly ticker: ServiceHandle;
  /** How many ticks there have been. */
  readonly ticks: () => number;
  close(): Promise<void>;
}

/** An application with the tree of providers, and a service that stands at the end of one in place of `Service`. */
export async function openScopes(clock: Clock = systemClock): Promise<Scopes> {
  let ticks = 0;

  @BackgroundService({ every: '1h' })
  class Ticker implements BackgroundService {
    constructor(readonly repository: Repository) {}

    async execute(): Promise<void> {
      ticks += 1;
    }
  }
  const imports = [BackgroundModule.forRoot({ clock })];
  const providers = [Connection, Repository, Service, Ticker];
  const app = await NestFactory.createApplicationContext(
    { module: AppModule, imports, providers },
    { logger: false },
  );
  return {
    scopes: app.get(ServiceScopeFactory),
    queue: app.get(TaskQueue),
    ticker: app.get(BackgroundHost).service(Ticker),
    ticks: () => ticks,
    close: () => app.close(),
  };
}
