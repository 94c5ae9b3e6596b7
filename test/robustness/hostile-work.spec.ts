import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, Scope } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import {
  ApplicationLifetime,
  BackgroundContext,
  BackgroundEvents,
  BackgroundHost,
  BackgroundModule,
  BackgroundService,
  TaskQueue,
  type BackgroundModuleOptions,
} from 'nestjs-nightshift';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished } from 'vitest';

async function setup(
  providers: NonNullable<Parameters<typeof Test.createTestingModule>[0]['providers']> = [],
  { options = {} }: { options?: BackgroundModuleOptions } = {},
) {
  const clock = new ManualClock();
  const module = Test.createTestingModule({
    imports: [BackgroundModule.forRoot({ clock, ...options })],
    providers,
  });
  const app = await module.compile();
  app.useLogger(false);
  await app.init();
  onTestFinished(() => app.close());
  return { app, clock, queue: app.get(TaskQueue), host: app.get(BackgroundHost) };
}

describe('what one task does to the next', () => {
  it('stays with it when it enters an async context of its own', async () => {
    const tenant = new AsyncLocalStorage<string>();
    const { queue } = await setup();
    await (await queue.enqueue(() => tenant.enterWith('a'))).result();
    expect(await (await queue.enqueue(() => tenant.getStore())).result()).toBeUndefined();
  });

  /* oxlint-disable unicorn/no-thenable -- these are what is tested */
  it.each([
    [
      'throws when asked for then',
      {
        get then(): never {
          throw new Error('hostile');
        },
      },
    ],
    [
      'throws when it is adopted',
      {
        then(): never {
          throw new Error('hostile');
        },
      },
    ],
    /* oxlint-enable unicorn/no-thenable */
  ])('is nothing when its result %s', async (_, hostile) => {
    const { queue } = await setup();
    const task = await queue.enqueue(() => hostile);
    await expect(task.result()).rejects.toThrow('hostile');
    expect(await (await queue.enqueue(() => 'next')).result()).toBe('next');
  });

  it('leaves the event loop its turns, however many tasks there are', async () => {
    const { queue } = await setup([], { options: { queue: { capacity: 100_000 } } });
    const turns: string[] = [];
    for (let i = 0; i < 20_000; i += 1) void queue.enqueue(async () => {});
    setImmediate(() => turns.push(queue.size > 0 ? 'between' : 'after'));
    await queue.whenIdle();
    expect(turns).toEqual(['between']);
  });
});

describe('the disposal of a scope', () => {
  it('is still inside the task: it has its context, and may enqueue while the queue drains', async () => {
    const flushed: unknown[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Outbox implements AsyncDisposable {
      constructor(private readonly queue: TaskQueue) {}
      async [Symbol.asyncDispose]() {
        const { id } = BackgroundContext.current()!;
        await this.queue.enqueue(() => void flushed.push(id));
      }
    }
    const { app, queue } = await setup([Outbox]);
    const { id } = await queue.enqueue(async ({ scope }) => void (await scope.resolve(Outbox)));
    await app.close();
    expect(flushed).toEqual([id]);
  });
});

describe('a queue that is paused while it drains', () => {
  it('is given up at once, and not at the deadline', async () => {
    const { app, clock, queue } = await setup();
    const left: string[] = [];
    app
      .get(BackgroundEvents)
      .on('queue.abandoned', ({ waiting }) => left.push(...waiting.map(({ name }) => name)));
    await queue.enqueue(() => queue.pause());
    await queue.enqueue(() => {}, { name: 'left' });
    await app.close(); // the clock stands still: nothing here waits for the deadline
    expect(left).toEqual(['left']);
    expect(clock.pendingTimers).toBe(0);
  });
});

async function onDropped(): Promise<never> {
  throw new Error('metrics are down');
}

describe('listeners that fail later', () => {
  it('are reported, those of drops too', async () => {
    const { app, clock, queue } = await setup([], {
      options: { queue: { capacity: 1, fullMode: 'dropWrite', onDropped } },
    });
    const failures: unknown[] = [];
    const events = app.get(BackgroundEvents);
    events.on('listener.failed', ({ during }) => failures.push(during));
    events.on('queue.paused', onDropped);
    queue.pause();
    await queue.enqueue(() => {});
    await queue.enqueue(() => {});
    await clock.advance(0);
    expect(failures).toEqual(['queue.paused', 'task.dropped']);
  });
});

describe('services in unusual company', () => {
  it('tick when all that is scoped below them is durable', async () => {
    const ran: string[] = [];
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Tenant {}
    @BackgroundService({ every: '1s' })
    class Report {
      constructor(readonly tenant: Tenant) {}
      execute() {
        ran.push(this.tenant.constructor.name);
      }
    }
    const { clock } = await setup([Tenant, Report]);
    await clock.advance('1s');
    expect(ran).toEqual(['Tenant']);
  });

  it('leave the base class that they share to ScheduleModule', async () => {
    const ran: string[] = [];
    class Base {
      @Interval(60_000)
      poll() {
        ran.push(this.constructor.name);
      }
    }
    Injectable()(Base);
    @BackgroundService()
    class Derived extends Base {}
    const { clock, host } = await setup([Derived]);
    await clock.advance('1m');
    expect(ran).toEqual(['Derived']);
    expect(host.services.map(({ name }) => name)).toContain('Derived.poll');
    expect(Reflect.hasMetadata('SCHEDULER_TYPE', Base.prototype.poll)).toBe(true);
    expect(Reflect.hasMetadata('SCHEDULER_TYPE', Derived.prototype.poll)).toBe(false);
  });

  it('B23 end without a fault when they heed lifetime.stopping, which fires before their own token', async () => {
    @BackgroundService()
    class Watcher {
      constructor(private readonly lifetime: ApplicationLifetime) {}
      async execute() {
        await new Promise((resolve) => this.lifetime.stopping.addEventListener('abort', resolve));
        this.lifetime.stopping.throwIfAborted();
      }
    }
    const { app, host } = await setup([Watcher]);
    await app.close();
    expect(host.faults).toEqual([]);
    expect(host.service(Watcher).state).toBe('completed');
  });
});
