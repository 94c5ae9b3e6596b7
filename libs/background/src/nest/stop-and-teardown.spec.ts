import { Injectable, type Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BackgroundHost } from '../hosting/host.js';
import { BackgroundModule } from './background.module.js';
import type { BackgroundModuleOptions } from './background.options.js';
import { BackgroundService, HostedService } from './decorators.js';

async function setup(providersOf: (log: string[]) => Provider[], options: BackgroundModuleOptions = {}) {
  const log: string[] = [];
  @Injectable()
  class Database {
    readonly onModuleDestroy = () => void log.push('database flushes');
    readonly onApplicationShutdown = () => void log.push('database closes');
    readonly [Symbol.asyncDispose] = () => Promise.resolve(void log.push('database is disposed'));
    readonly query = () => 'rows';
  }
  const imports = [BackgroundModule.forRoot({ clock: new ManualClock(), ...options })];
  const providers = [Database, ...providersOf(log)];
  const app = await Test.createTestingModule({ imports, providers }).compile();
  onTestFinished(() => app.close());
  app.useLogger(false);
  return { app, log, database: app.get(Database) };
}

function oven(log: string[], stop = () => {}): Provider {
  @HostedService()
  class Oven {
    start = () => void log.push('oven starts');
    stop = () => {
      log.push('oven stops');
      stop();
    };
  }
  return Oven;
}

function failing(): void {
  throw new Error('cannot stop');
}

function worker(log: string[]): Provider {
  @BackgroundService()
  class Worker {
    starting = () => void log.push('starting');
    execute = () => void log.push('execute');
    stopping = () => void log.push('stopping');
  }
  return Worker;
}

describe('The end of an application', () => {
  it.each([
    ['onApplicationShutdown', ['database flushes', 'oven stops', 'database closes']],
    ['onModuleDestroy', ['oven stops', 'database flushes', 'database closes']],
  ] as const)(
    'S8 goes on through all other modules when a service fails to stop on %s',
    async (drainOn, order) => {
      const { app, log } = await setup((entries) => [oven(entries, failing)], { drainOn });
      await app.init();
      await app.close();
      expect(log).toEqual(['oven starts', ...order]);
    },
  );

  it('S8 never sees a hook of the module reject, for Nest 11 would skip the other modules', async () => {
    const { app } = await setup((entries) => [oven(entries, failing)]);
    await app.init();
    await expect(app.get(BackgroundHost).stop()).rejects.toThrow('cannot stop');
    const module = app.get(BackgroundModule);
    await expect(module.onModuleDestroy()).resolves.toBeUndefined();
    await expect(module.onApplicationShutdown()).resolves.toBeUndefined();
  });

  it('S25 stops services also when nobody had asked for the stop', async () => {
    const { app, log } = await setup((entries) => [oven(entries)]);
    await app.init();
    await app.close();
    expect(log).toEqual(['oven starts', 'database flushes', 'oven stops', 'database closes']);
  });

  it('S26 is what tears providers down, not the stop of the host', async () => {
    const { app, log, database } = await setup((entries) => [oven(entries)]);
    await app.init();
    await app.get(BackgroundHost).stop();
    expect(log).toEqual(['oven starts', 'oven stops']);
    expect(database.query()).toBe('rows');
    await app.close();
    expect(log.slice(2)).toEqual(['database flushes', 'database closes']);
  });

  it('B15 calls nothing of a service when the application was never started', async () => {
    const { app, log } = await setup((entries) => [worker(entries), oven(entries)]);
    await app.close();
    expect(log).toEqual(['database flushes', 'database closes']);
  });
});
