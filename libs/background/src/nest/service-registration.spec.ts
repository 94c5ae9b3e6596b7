import { Injectable, Module, type ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { InvalidOptionsError } from 'nestjs-nightshift/channels';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DuplicateNameError, LifetimeReplacedError } from '../errors.js';
import { errorOf } from '../error-of.fixture.js';
import { BackgroundEvents } from '../events/background-events.js';
import { BackgroundHost } from '../hosting/host.js';
import { ApplicationLifetime } from '../hosting/lifetime.js';
import { BackgroundModule } from './background.module.js';
import type { BackgroundModuleOptions } from './background.options.js';
import { BackgroundService, HostedService } from './decorators.js';

const forRoot = (options: BackgroundModuleOptions = {}) =>
  BackgroundModule.forRoot({ clock: new ManualClock(), ...options });

/** An application, and the warnings that its start gives. */
async function setup(metadata: ModuleMetadata) {
  const app = await Test.createTestingModule(metadata).compile();
  onTestFinished(() => app.close().catch(() => {}));
  app.useLogger(false);
  const warnings: string[] = [];
  app.get(BackgroundEvents).on('host.warning', ({ message }) => warnings.push(message));
  await app.init();
  return { app, host: app.get(BackgroundHost), warnings };
}

/** A hosted service of this name that notes what happens to it. */
function noting(name: string, log: string[], onConstruction = () => {}) {
  @HostedService({ name })
  class Noting {
    constructor() {
      log.push(`${name} is made`);
      onConstruction();
    }
    starting = () => void log.push(`${name}.starting`);
    start = () => void log.push(`${name}.start`);
    stop = () => void log.push(`${name}.stop`);
  }
  return Noting;
}

describe('registered services', () => {
  it('H7 are all made before the first of them hears of the start', async () => {
    const log: string[] = [];
    const later = {
      provide: 'later',
      useFactory: () => Promise.resolve().then(() => new (noting('later', log))()),
    };
    @Module({ providers: [noting('deep', log), later] })
    class Deep {}
    await setup({ imports: [Deep, forRoot()], providers: [noting('shallow', log)] });
    expect(log.slice(0, 3).toSorted()).toEqual(['deep is made', 'later is made', 'shallow is made']);
    expect(log.slice(3)).toEqual([
      'deep.starting',
      'later.starting',
      'shallow.starting',
      'deep.start',
      'later.start',
      'shallow.start',
    ]);
  });

  it('H7 are not started, and the error is thrown as it is, when the constructor of one throws', async () => {
    const log: string[] = [];
    const error = new Error('no config');
    const failing = noting('second', log, () => {
      throw error;
    });
    const failed = errorOf(setup({ imports: [forRoot()], providers: [noting('first', log), failing] }));
    expect(await failed).toBe(error);
    expect(log.toSorted()).toEqual(['first is made', 'second is made']);
  });

  it('H8 are started in the order of modules and providers, and stopped in reverse', async () => {
    const log: string[] = [];
    @Module({ providers: [noting('deep', log)] })
    class Deep {}
    @Module({ imports: [Deep], providers: [noting('b', log), noting('a', log)] })
    class Feature {}
    const imports = [Feature, forRoot()];
    const { app } = await setup({ imports, providers: [noting('root', log)] });
    await app.close();
    const starts = ['deep.start', 'b.start', 'a.start', 'root.start'];
    const stops = ['root.stop', 'a.stop', 'b.stop', 'deep.stop'];
    expect(log.filter((entry) => /\.(start|stop)$/.test(entry))).toEqual([...starts, ...stops]);
  });

  it('H33 run once, with a warning that names the factories, when several make one class', async () => {
    const log: string[] = [];
    const type = noting('oven', log);
    const factories = ['north', 'south'].map((provide) => ({ provide, useFactory: () => new type() }));
    const { host, warnings } = await setup({ imports: [forRoot()], providers: factories });
    expect(log.filter((entry) => entry === 'oven.start')).toHaveLength(1);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/by RootTestModule as 'north' and by RootTestModule as 'south'/);
    await host.addService(new type(), { name: 'second oven' });
    expect(log.filter((entry) => entry === 'oven.start')).toHaveLength(2);
  });

  it('H34 are injected under their own class, as the one instance that runs', async () => {
    const ran: object[] = [];
    @BackgroundService()
    class Stirrer {
      execute(): void {
        ran.push(this);
      }
    }
    @Injectable()
    class Kitchen {
      constructor(readonly stirrer: Stirrer) {}
    }
    const { app } = await setup({ imports: [forRoot()], providers: [Kitchen, Stirrer] });
    expect(ran).toEqual([app.get(Kitchen).stirrer]);
  });
});

describe('ApplicationLifetime', () => {
  @Injectable()
  class Own {
    constructor(readonly lifetime: ApplicationLifetime) {}
  }

  it('H35 is refused, naming the module, when another module provides one of its own', async () => {
    @Module({ providers: [Own, ApplicationLifetime] })
    class Feature {}
    const error = await errorOf(setup({ imports: [Feature, forRoot()] }));
    expect(error).toBeInstanceOf(LifetimeReplacedError);
    expect((error as Error).message).toContain('Feature provides an ApplicationLifetime');
  });

  it('H35 is one for all when it is only injected', async () => {
    @Module({ providers: [Own] })
    class Feature {}
    const { app } = await setup({ imports: [Feature, forRoot()] });
    const { lifetime } = app.get(Own, { strict: false });
    expect(lifetime).toBe(app.get(ApplicationLifetime));
    expect(lifetime.started.aborted).toBe(true);
  });
});

function defineTicked() {
  @BackgroundService({ every: 'now and then' })
  class Ticked {
    execute(): void {}
  }
  return Ticked;
}

describe('wrong options', () => {
  it.each(['forRoot', 'forRootAsync'] as const)(
    'H25 are an InvalidOptionsError before any service is started when they are those of %s',
    async (method) => {
      const log: string[] = [];
      const wrong: BackgroundModuleOptions = { shutdownTimeout: -1 };
      const module = () =>
        method === 'forRoot'
          ? BackgroundModule.forRoot(wrong)
          : BackgroundModule.forRootAsync({ useFactory: () => wrong });
      const start = async () => setup({ imports: [module()], providers: [noting('oven', log)] });
      expect(await errorOf(start())).toBeInstanceOf(InvalidOptionsError);
      expect(log.filter((entry) => entry.startsWith('oven.'))).toEqual([]);
    },
  );

  it('H25 are an InvalidOptionsError while the class is defined when they are those of a service', () => {
    expect(defineTicked).toThrow(InvalidOptionsError);
  });

  it('H25 keep every service from starting when it is two names that collide', async () => {
    const log: string[] = [];
    const providers = [noting('oven', log), noting('mixer', log), noting('oven', log)];
    expect(await errorOf(setup({ imports: [forRoot()], providers }))).toBeInstanceOf(DuplicateNameError);
    expect(log.filter((entry) => entry.includes('.'))).toEqual([]);
  });

  it.each([
    ['shutdownTimeout', 'soon'],
    ['startupTimeout', '-5s'],
    ['servicesStartConcurrently', 'yes'],
    ['servicesStopConcurrently', '1'],
  ])('H38 are named when configuration gives %s as %j', async (key, value) => {
    const configuration = { [key]: value } as BackgroundModuleOptions;
    const imports = [BackgroundModule.forRootAsync({ useFactory: () => configuration })];
    const error = await errorOf(setup({ imports }));
    expect(error).toBeInstanceOf(InvalidOptionsError);
    expect((error as Error).message).toContain(`forRoot.${key}`);
  });
});

describe('options from configuration', () => {
  it('H38 are read from text when they are durations', async () => {
    const environment = { SHUTDOWN_TIMEOUT: '45s' };
    const useFactory = () => ({ shutdownTimeout: environment.SHUTDOWN_TIMEOUT });
    const { host } = await setup({ imports: [BackgroundModule.forRootAsync({ useFactory })] });
    expect(host.shutdownTimeoutMs).toBe(45_000);
  });
});
