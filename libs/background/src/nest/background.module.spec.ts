import { Injectable, Module, type ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { InvalidOptionsError } from 'nestjs-nightshift/channels';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DuplicateNameError, ModuleNotRegisteredError, ModuleRegisteredTwiceError } from '../errors.js';
import { BackgroundEvents } from '../events/background-events.js';
import { BackgroundHost } from '../hosting/host.js';
import { ApplicationLifetime } from '../hosting/lifetime.js';
import { TaskQueue } from '../tasks/task-queue.js';
import { BackgroundModule } from './background.module.js';
import type { BackgroundModuleOptions } from './background.options.js';
import { BackgroundService, getTaskQueueToken, HostedService, InjectTaskQueue } from './decorators.js';

async function setup(metadata: ModuleMetadata) {
  const app = await Test.createTestingModule(metadata).compile();
  app.useLogger(false);
  onTestFinished(() => app.close().catch(() => {}));
  await app.init();
  return { app };
}

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

@Injectable()
class Photos {
  constructor(
    readonly queue: TaskQueue,
    @InjectTaskQueue() readonly same: TaskQueue,
    @InjectTaskQueue('photos') readonly photos: TaskQueue,
  ) {}
}

describe('forRoot', () => {
  it('works without options, and gives its services everywhere', async () => {
    @Module({})
    class Feature {
      constructor(
        readonly queue: TaskQueue,
        readonly host: BackgroundHost,
        readonly lifetime: ApplicationLifetime,
      ) {}
    }
    const { app } = await setup({ imports: [Feature, BackgroundModule.forRoot()] });
    const { queue, host, lifetime } = app.get(Feature);
    expect([queue.name, queue.capacity, lifetime.started.aborted]).toEqual(['default', 100, true]);
    expect(host.services.map(({ name, state }) => [name, state])).toEqual([['queue:default', 'running']]);
    expect(await (await queue.enqueue(() => 'ran')).result()).toBe('ran');
  });

  it('throws where it is called, naming all problems, when the options are wrong', () => {
    const options = {
      shutdownTimout: '5s',
      drainOn: 'later',
      enabled: 3,
      queue: { capacity: -1 },
      clock: {},
      wrap: 1,
    };
    const call = () => BackgroundModule.forRoot(options as never);
    expect(call).toThrow(InvalidOptionsError);
    for (const key of ['shutdownTimout', 'drainOn', 'enabled', 'queue.capacity', 'clock', 'wrap'])
      expect(call).toThrow(`forRoot.${key}`);
  });

  it('names the default queue, for injection too, when the options do', async () => {
    const { app } = await setup({
      imports: [BackgroundModule.forRoot({ queue: { name: 'photos' } })],
      providers: [Photos],
    });
    const { queue, same, photos } = app.get(Photos);
    expect(queue.name).toBe('photos');
    expect([same, photos]).toEqual([queue, queue]);
  });

  it("keeps the default queue's own token when the options name it 'default'", async () => {
    const { app } = await setup({
      imports: [BackgroundModule.forRoot({ queue: { name: 'default', capacity: 7 } })],
    });
    expect(app.get(getTaskQueueToken('default'))).toBe(app.get(TaskQueue));
    expect(app.get(TaskQueue).capacity).toBe(7);
  });

  it('is an error that says so when it is imported twice', async () => {
    @Module({ imports: [BackgroundModule.forRoot()] })
    class Feature {}
    const error = await errorOf(
      setup({ imports: [Feature, BackgroundModule.forRoot({ queue: { capacity: 5 } })] }),
    );
    expect(error).toBeInstanceOf(ModuleRegisteredTwiceError);
    expect((error as Error).message).toContain('registerQueue');
  });
});

describe('forRootAsync', () => {
  @Injectable()
  class Config {
    readonly capacity = 3;
  }
  @Module({ providers: [Config], exports: [Config] })
  class ConfigModule {}
  @Injectable()
  class Options {
    createBackgroundOptions = (): BackgroundModuleOptions => ({ queue: { capacity: 4 } });
  }
  @Module({ providers: [Options], exports: [Options] })
  class OptionsModule {}

  it.each([
    [
      'useFactory',
      {
        imports: [ConfigModule],
        inject: [Config],
        useFactory: async ({ capacity }: Config) => ({ queue: { capacity } }),
      },
      3,
    ],
    ['useClass', { useClass: Options }, 4],
    ['useExisting', { imports: [OptionsModule], useExisting: Options }, 4],
  ])('takes its options from %s', async (_, asyncOptions, capacity) => {
    const { app } = await setup({ imports: [BackgroundModule.forRootAsync(asyncOptions)] });
    expect(app.get(TaskQueue).capacity).toBe(capacity);
  });

  it('rejects, naming the problem, when the options are wrong', async () => {
    const wrong: BackgroundModuleOptions = { queue: { capacity: -1 } };
    const imports = [BackgroundModule.forRootAsync({ useFactory: () => wrong })];
    const error = await errorOf(setup({ imports }));
    expect(error).toBeInstanceOf(InvalidOptionsError);
  });

  it('is an error when it is imported beside forRoot', async () => {
    const imports = [BackgroundModule.forRoot(), BackgroundModule.forRootAsync({ useFactory: () => ({}) })];
    expect(await errorOf(setup({ imports }))).toBeInstanceOf(ModuleRegisteredTwiceError);
  });
});

describe('registerQueue', () => {
  it('adds queues that can be injected anywhere, from a feature module', async () => {
    @Module({ imports: [BackgroundModule.registerQueue({ name: 'photos', capacity: 2 }, { name: 'mails' })] })
    class Feature {}
    const { app } = await setup({ imports: [BackgroundModule.forRoot(), Feature], providers: [Photos] });
    const { queue, photos } = app.get(Photos);
    expect([queue.name, photos.name, photos.capacity]).toEqual(['default', 'photos', 2]);
    expect(app.get<TaskQueue>(getTaskQueueToken('mails')).name).toBe('mails');
    expect(await (await photos.enqueue(({ queue: name }) => name)).result()).toBe('photos');
    const names = app.get(BackgroundHost).services.map(({ name }) => name);
    expect(names.toSorted()).toEqual(['queue:default', 'queue:mails', 'queue:photos']);
  });

  it('throws at once when the options are wrong', () => {
    expect(() => BackgroundModule.registerQueue({ name: 'a' }, { name: '', capacity: -1 })).toThrow(
      /registerQueue\[1\]/,
    );
  });

  it('throws at once when it is given one name twice', () => {
    expect(() => BackgroundModule.registerQueue({ name: 'a' }, { name: 'a' })).toThrow(DuplicateNameError);
  });

  it.each(['photos', 'default'])("rejects when the name '%s' is taken by another module", async (name) => {
    const imports = [
      BackgroundModule.forRoot(),
      BackgroundModule.registerQueue({ name: 'photos' }),
      BackgroundModule.registerQueue({ name }),
    ];
    expect(await errorOf(setup({ imports }))).toBeInstanceOf(DuplicateNameError);
  });

  it('rejects, naming the missing import, when there is no forRoot', async () => {
    const error = await errorOf(setup({ imports: [BackgroundModule.registerQueue({ name: 'photos' })] }));
    expect(error).toBeInstanceOf(ModuleNotRegisteredError);
    expect((error as Error).message).toContain('BackgroundModule.forRoot()');
  });
});

describe('a queue whose worker is disabled', () => {
  it('reports what waits in it, and releases producers, when the application closes', async () => {
    const { app } = await setup({
      imports: [BackgroundModule.forRoot({ enabled: false, queue: { capacity: 1 } })],
    });
    const queue = app.get(TaskQueue);
    const abandoned: unknown[] = [];
    app.get(BackgroundEvents).on('queue.abandoned', ({ waiting }) => abandoned.push(waiting));
    const handle = await queue.enqueue(function never() {});
    const refused = errorOf(queue.enqueue(() => {}));
    await app.close();
    expect(await refused).toMatchObject({ code: 'QUEUE_CLOSED' });
    expect(abandoned).toEqual([[{ taskId: handle.id, name: 'never' }]]);
  });
});

describe('a failed start', () => {
  it('rejects init with what the service threw, and names what was enqueued, without waiting for it', async () => {
    const error = new Error('no port');
    @HostedService()
    class Server {
      start(): void {
        throw error;
      }
      stop(): void {}
    }
    const clock = new ManualClock();
    const app = await Test.createTestingModule({
      imports: [BackgroundModule.forRoot({ clock })],
      providers: [Server],
    }).compile();
    onTestFinished(() => app.close().catch(() => {}));
    app.useLogger(false);
    const abandoned: unknown[] = [];
    app.get(BackgroundEvents).on('queue.abandoned', ({ waiting }) => abandoned.push(waiting));
    const handle = await app.get(TaskQueue).enqueue(function never() {});
    expect(await errorOf(app.init())).toBe(error);
    expect(abandoned).toEqual([[{ taskId: handle.id, name: 'never' }]]);
  });
});

describe('addService', () => {
  @BackgroundService({ name: 'added', every: '10s' })
  class Decorated {
    readonly ticks: number[] = [];
    execute(_: AbortSignal, tick?: { count: number }): void {
      this.ticks.push(tick!.count);
    }
  }

  it('runs an object, and an instance of a decorated class by its options, at once', async () => {
    const clock = new ManualClock();
    const { app } = await setup({ imports: [BackgroundModule.forRoot({ clock })] });
    const host = app.get(BackgroundHost);
    const ran: string[] = [];
    await host.addService({ execute: () => ran.push('plain') }, { name: 'plain' });
    const decorated = new Decorated();
    const handle = await host.addService(decorated);
    const faster = new Decorated();
    await host.addService(faster, { name: 'faster', every: '5s' });
    await clock.advance('10s');
    expect(ran).toEqual(['plain']);
    expect([handle.name, decorated.ticks, faster.ticks]).toEqual(['added', [1], [1, 2]]);
  });

  it.each([null, undefined, 5])('rejects %j', async (service) => {
    const { app } = await setup({ imports: [BackgroundModule.forRoot()] });
    const error = await errorOf(app.get(BackgroundHost).addService(service as never));
    expect(error).toMatchObject({ code: 'NOT_A_SERVICE' });
  });
});
