import { Global, Module, type ModuleMetadata } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BackgroundEvents } from '../events/background-events.js';
import { ApplicationLifetime } from '../hosting/lifetime.js';
import { TaskQueue } from '../tasks/task-queue.js';
import { BackgroundModule } from './background.module.js';
import type { BackgroundModuleOptions } from './background.options.js';
import { BackgroundService, HostedService } from './decorators.js';

/** A module that notes each of its hooks. */
function noting(name: string, log: string[]) {
  class Noting {
    onModuleInit = () => log.push(`${name} init`);
    onApplicationBootstrap = () => log.push(`${name} bootstrap`);
    onModuleDestroy = () => log.push(`${name} destroy`);
    beforeApplicationShutdown = () => log.push(`${name} before shutdown`);
    onApplicationShutdown = () => log.push(`${name} shutdown`);
  }
  return Noting;
}

async function setup(log: string[], options: BackgroundModuleOptions, metadata: ModuleMetadata = {}) {
  @Global()
  @Module({})
  class Database extends noting('global', log) {}
  @Module({})
  class Feature extends noting('feature', log) {}
  @HostedService()
  class Server {
    start = () => log.push('service start');
    stopping = () => log.push('service stopping');
    stop = () => log.push('service stop');
  }
  const background = BackgroundModule.forRoot({ clock: new ManualClock(), ...options });
  const imports = [background, Feature, Database, ...(metadata.imports ?? [])];
  const app = await Test.createTestingModule({ ...metadata, imports, providers: [Server] }).compile();
  onTestFinished(() => app.close());
  return { app, lifetime: app.get(ApplicationLifetime), queue: app.get(TaskQueue) };
}

const positions = (log: readonly string[], ...entries: string[]): number[] =>
  entries.map((entry) => log.indexOf(entry));
const inOrder = (numbers: readonly number[]): boolean =>
  !numbers.includes(-1) && numbers.every((number, index) => index === 0 || number > numbers[index - 1]!);

describe('the order of hooks', () => {
  it('starts services when every other module has bootstrapped, global ones too', async () => {
    const log: string[] = [];
    const { app } = await setup(log, {});
    await app.init();
    expect(inOrder(positions(log, 'global bootstrap', 'feature bootstrap', 'service start'))).toBe(true);
  });

  it('signals stopping before any other module is destroyed, and stops services when all servers are closed', async () => {
    const log: string[] = [];
    const { app, lifetime } = await setup(log, {});
    await app.init();
    lifetime.stopping.addEventListener('abort', () => log.push('stopping'));
    await app.close();
    expect(
      inOrder(
        positions(
          log,
          'service stopping',
          'stopping',
          'feature destroy',
          'global destroy',
          'global before shutdown',
          'service stop',
          'feature shutdown',
        ),
      ),
    ).toBe(true);
    expect(inOrder(positions(log, 'service stop', 'global shutdown'))).toBe(true);
    expect(lifetime.stopped.aborted).toBe(true);
  });

  it("stops services before any other module is destroyed when it drains on 'onModuleDestroy'", async () => {
    const log: string[] = [];
    const { app } = await setup(log, { drainOn: 'onModuleDestroy' });
    await app.init();
    await app.close();
    expect(inOrder(positions(log, 'service stop', 'feature destroy', 'global destroy'))).toBe(true);
  });

  it.each([
    ['onApplicationShutdown', ['feature destroy', 'task done', 'feature shutdown']],
    ['onModuleDestroy', ['task done', 'feature destroy', 'feature shutdown']],
  ] as const)("drains the queue in time when it drains on '%s'", async (drainOn, order) => {
    const log: string[] = [];
    const { app, queue } = await setup(log, { drainOn });
    await app.init();
    queue.pause();
    await queue.enqueue(() => log.push('task done'));
    const resume = (): void => void queue.resume();
    app.get(BackgroundEvents).on('service.stopping', ({ service }) => {
      if (service === 'Server') resume();
    });
    await app.close();
    expect(inOrder(positions(log, ...order))).toBe(true);
  });

  it('warns when other code has undone the order', async () => {
    const log: string[] = [];
    const { app } = await setup(log, {});
    for (const module of app.get(ModulesContainer).values())
      if (module.metatype === BackgroundModule) module.distance = Number.MAX_VALUE;
    const warnings: string[] = [];
    app.get(BackgroundEvents).on('host.warning', ({ code }) => warnings.push(code));
    await app.init();
    expect(warnings).toEqual(['HOOK_ORDER']);
  });

  it('closes once, and quietly, when it is closed twice or a stop hook fails', async () => {
    @HostedService({ name: 'failing' })
    class Failing {
      start(): void {}
      stop(): void {
        throw new Error('cannot stop');
      }
    }
    const app = await Test.createTestingModule({
      imports: [BackgroundModule.forRoot()],
      providers: [Failing],
    }).compile();
    app.useLogger(false);
    await app.init();
    const stopped: unknown[] = [];
    app.get(BackgroundEvents).on('host.stopped', ({ errors }) => stopped.push(errors));
    await Promise.all([app.close(), app.close()]);
    await app.close();
    expect(stopped).toEqual([[expect.objectContaining({ message: 'cannot stop' })]]);
  });

  it('never waits for execute() at the start', async () => {
    const ended: string[] = [];
    @BackgroundService()
    class Stirrer {
      async execute(stoppingToken: AbortSignal): Promise<void> {
        await new Promise((resolve) => stoppingToken.addEventListener('abort', resolve));
        ended.push('stirrer');
      }
    }
    const app = await Test.createTestingModule({
      imports: [BackgroundModule.forRoot()],
      providers: [Stirrer],
    }).compile();
    await app.init();
    expect(ended).toEqual([]);
    await app.close();
    expect(ended).toEqual(['stirrer']);
  });
});

async function closing(held: Promise<void>) {
  class Slow {
    onModuleDestroy = () => held;
  }
  const clock = new ManualClock();
  const imports = [BackgroundModule.forRoot({ clock })];
  const app = await Test.createTestingModule({ imports, providers: [Slow] }).compile();
  app.useLogger(false);
  await app.init();
  const warnings: string[] = [];
  app.get(BackgroundEvents).on('host.warning', ({ code }) => warnings.push(code));
  return { clock, warnings, closed: app.close() };
}

describe('a stop that others hold up', () => {
  it('is explained when it takes more than two seconds', async () => {
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { clock, warnings, closed } = await closing(held);
    await clock.advance('1999ms');
    expect(warnings).toEqual([]);
    await clock.advance('1ms');
    expect(warnings).toEqual(['STOP_HELD_UP']);
    release();
    await closed;
  });

  it('leaves no timer when it takes less', async () => {
    const { clock, warnings, closed } = await closing(Promise.resolve());
    await closed;
    expect(clock.pendingTimers).toBe(0);
    expect(warnings).toEqual([]);
  });
});
