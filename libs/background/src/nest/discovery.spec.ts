import { Injectable, Module, Scope, type ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DuplicateNameError, NotAServiceError } from '../errors.js';
import { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundEvent } from '../events/events.js';
import { BackgroundHost } from '../hosting/host.js';
import { BackgroundModule } from './background.module.js';
import type { BackgroundModuleOptions } from './background.options.js';
import { BackgroundService, HostedService } from './decorators.js';

async function compile(metadata: ModuleMetadata, options: BackgroundModuleOptions = {}) {
  const clock = new ManualClock();
  const imports = [BackgroundModule.forRoot({ clock, ...options }), ...(metadata.imports ?? [])];
  const app = await Test.createTestingModule({ ...metadata, imports }).compile();
  onTestFinished(() => app.close().catch(() => {}));
  const seen: BackgroundEvent[] = [];
  app.get(BackgroundEvents).stream.subscribe((event) => seen.push(event));
  return { app, clock, seen, host: app.get(BackgroundHost) };
}

async function setup(metadata: ModuleMetadata, options: BackgroundModuleOptions = {}) {
  const bundle = await compile(metadata, options);
  await bundle.app.init();
  await bundle.clock.advance(0);
  const names = bundle.host.services.map(({ name }) => name).filter((name) => name !== 'queue:default');
  return { ...bundle, names };
}

const runs: object[] = [];
const runsOf = (type: abstract new () => object) => runs.filter((each) => each instanceof type);

@BackgroundService()
class Stirrer implements BackgroundService {
  execute(): void {
    runs.push(this);
  }
}

@Injectable()
class Plain {}

class FinerStirrer extends Stirrer {}

@HostedService()
class Oven implements HostedService {
  start(): void {
    runs.push(this);
  }
  stop(): void {}
}

describe('discovery', () => {
  it('finds decorated classes among the providers, wherever they are, and runs each on its one instance', async () => {
    @Module({ providers: [Oven] })
    class Kitchen {}
    const { app, host, names } = await setup({ imports: [Kitchen], providers: [Stirrer] });
    expect(names).toEqual(['Oven', 'Stirrer']);
    expect(host.services.map(({ kind }) => kind)).toEqual(['queue', 'hosted', 'longRunning']);
    expect(runs).toContain(app.get(Stirrer));
    expect(runs).toContain(app.get(Oven, { strict: false }));
  });

  it('starts services of imported modules first, then in the order of the providers', async () => {
    @BackgroundService()
    class First extends Stirrer {}
    @BackgroundService()
    class Second extends Stirrer {}
    @Module({ providers: [Oven] })
    class Deep {}
    @Module({ imports: [Deep], providers: [Stirrer] })
    class Feature {}
    const { names } = await setup({ imports: [Feature], providers: [Second, First] });
    expect(names).toEqual(['Oven', 'Stirrer', 'Second', 'First']);
  });

  it.each([
    ['useClass', { provide: 'stirrer', useClass: Stirrer }],
    ['useFactory', { provide: 'stirrer', useFactory: () => new Stirrer() }],
    ['useFactory with a promise', { provide: 'stirrer', useFactory: async () => new Stirrer() }],
    ['useValue', { provide: 'stirrer', useValue: new Stirrer() }],
  ])('finds a service that is provided by %s', async (_, provider) => {
    const { app, names } = await setup({ providers: [provider] });
    expect(names).toEqual(['Stirrer']);
    expect(runs).toContain(app.get('stirrer'));
  });

  it('finds a subclass of a decorated class', async () => {
    const { names } = await setup({ providers: [FinerStirrer] });
    expect(names).toEqual(['FinerStirrer']);
    expect(runsOf(FinerStirrer)).toHaveLength(1);
  });

  it.each([
    ['a plain class', Plain],
    ['a value without a class', { provide: 'bare', useValue: Object.create(null) as object }],
    ['a plain value', { provide: 'text', useValue: 'stir' }],
    ['nothing', { provide: 'nothing', useValue: null }],
    ['a factory of nothing', { provide: 'nothing', useFactory: () => undefined }],
  ])('passes over %s', async (_, provider) => {
    expect((await setup({ providers: [provider] })).names).toEqual([]);
  });

  it('runs once what has an alias', async () => {
    const { names, seen } = await setup({ providers: [Stirrer, { provide: 'alias', useExisting: Stirrer }] });
    expect(names).toEqual(['Stirrer']);
    expect(seen.filter(({ type }) => type === 'host.warning')).toEqual([]);
  });

  it('runs a mock of a service no more than the mock says', async () => {
    const app = await Test.createTestingModule({
      imports: [BackgroundModule.forRoot()],
      providers: [Stirrer],
    })
      .overrideProvider(Stirrer)
      .useValue({ execute: () => 'mocked' })
      .compile();
    onTestFinished(() => app.close());
    await app.init();
    expect(app.get(BackgroundHost).services.map(({ name }) => name)).toEqual(['queue:default']);
  });

  it('H32 runs a service once, with a warning, when two modules provide it', async () => {
    @Module({ providers: [Stirrer] })
    class North {}
    @Module({ providers: [Stirrer] })
    class South {}
    const { names, seen } = await setup({ imports: [North, South] });
    expect(names).toEqual(['Stirrer']);
    const warnings = seen.filter((event) => event.type === 'host.warning');
    expect(warnings).toMatchObject([{ code: 'PROVIDED_TWICE' }]);
    expect(warnings[0]).toMatchObject({
      message: expect.stringMatching(/Stirrer is provided by North and by South/),
    });
  });

  it('refuses two services of one name', async () => {
    @BackgroundService({ name: 'Stirrer' })
    class Impostor extends Stirrer {}
    const { app } = await compile({ providers: [Stirrer, Impostor] });
    await expect(app.init()).rejects.toBeInstanceOf(DuplicateNameError);
  });

  it('gives each service the name that it asks for', async () => {
    @BackgroundService({ name: 'slow stirring' })
    class Named extends Stirrer {}
    @HostedService({ name: 'hot box' })
    class NamedOven extends Oven {}
    expect((await setup({ providers: [Named, NamedOven] })).names).toEqual(['slow stirring', 'hot box']);
  });

  it('lets a service be found by its name and by its class', async () => {
    const { host } = await setup({ providers: [Stirrer] });
    expect(host.service(Stirrer)).toBe(host.service('Stirrer'));
  });

  it('runs an execute() that is a field, on one instance and on one for each tick', async () => {
    const ran: string[] = [];
    @BackgroundService()
    class Long {
      execute = () => void ran.push('long');
    }
    @BackgroundService({ every: '1s' })
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      execute = () => void ran.push('scoped');
    }
    const { clock } = await setup({ providers: [Long, Scoped] });
    await clock.advance('1s');
    expect(ran).toEqual(['long', 'scoped']);
  });

  it('refuses a class that has nothing to run', async () => {
    @BackgroundService()
    class Idle {}
    // @ts-expect-error: the compiler refuses it too
    @HostedService()
    class Halfway {
      start(): void {}
    }
    // @ts-expect-error: the compiler refuses it too
    @BackgroundService({ every: '1s' })
    class NoWork {}
    for (const [type, hint] of [
      [Idle, /execute\(\)/],
      [Halfway, /start\(\) and stop\(\)/],
      [NoWork, /execute\(\)/],
    ] as const) {
      const { app } = await compile({ providers: [type] });
      const error: unknown = await app.init().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(NotAServiceError);
      expect((error as Error).message).toMatch(hint);
    }
  });

  it('refuses a long-running service of which there is no one instance', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    @BackgroundService()
    class Fleeting extends Stirrer {}
    const { app } = await compile({ providers: [Fleeting] });
    await expect(app.init()).rejects.toThrow(/Fleeting cannot run as a service: its scope is TRANSIENT/);
  });
});

describe('enabled', () => {
  @BackgroundService({ name: 'off', enabled: false })
  class Off extends Stirrer {}
  @HostedService({ enabled: false })
  class ColdOven extends Oven {}

  it('keeps a service from running when its own option says so', async () => {
    const { host } = await setup({ providers: [Off, ColdOven] });
    expect([host.service('off').state, host.service('ColdOven').state]).toEqual(['disabled', 'disabled']);
    expect([runsOf(Off), runsOf(ColdOven)]).toEqual([[], []]);
  });

  it('keeps everything from running when the host says so', async () => {
    class Watched extends Stirrer {}
    const { host } = await setup({ providers: [Watched] }, { enabled: false });
    expect(host.services.map(({ state }) => state)).toEqual(['disabled', 'disabled']);
    expect(runsOf(Watched)).toEqual([]);
  });

  it('asks a function of the host for each service', async () => {
    const asked: unknown[] = [];
    const enabled = (service: { name: string; kind: string }): boolean => {
      asked.push(service);
      return service.kind !== 'longRunning';
    };
    const { host } = await setup({ providers: [Stirrer, Oven] }, { enabled });
    expect(asked).toContainEqual({ name: 'Stirrer', kind: 'longRunning' });
    expect(asked).toContainEqual({ name: 'Oven', kind: 'hosted' });
    expect([host.service(Stirrer).state, host.service(Oven).state]).toEqual(['disabled', 'running']);
  });
});
