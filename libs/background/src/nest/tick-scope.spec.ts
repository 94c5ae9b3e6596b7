import { Inject, Injectable, Scope, type Provider } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { BackgroundHost } from '../hosting/host.js';
import { BackgroundContext } from '../scopes/background-context.js';
import type { TaskContext, TickContext } from '../scopes/context.js';
import { TaskQueue } from '../tasks/task-queue.js';
import { setup as setupApplication } from './application.fixture.js';
import { BackgroundService, InjectBackgroundContext } from './decorators.js';

async function setup(...providers: Provider[]) {
  const { app, clock, seen } = await setupApplication(providers);
  const outcomes = () =>
    seen.map(({ type }) => type).filter((type) => /^(tick|scope)\.(?!started)/.test(type));
  return { app, clock, seen, outcomes, queue: app.get(TaskQueue) };
}

/** A request-scoped provider that notes its creation and its disposal. */
function noted(log: string[]) {
  @Injectable({ scope: Scope.REQUEST })
  class Orders implements AsyncDisposable {
    readonly number = log.push('created');
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.resolve();
      log.push('disposed');
    }
  }
  return Orders;
}

describe('the scope of a tick', () => {
  it('gives each tick an instance of its own, and disposes what it depends on after it', async () => {
    const log: string[] = [];
    const Orders = noted(log);
    const instances = new Set<object>();
    @BackgroundService({ every: '10s' })
    class Cleanup {
      constructor(@Inject(Orders) readonly orders: object) {}
      execute(): void {
        instances.add(this).add(this.orders);
        log.push('tick');
      }
    }
    const { clock, outcomes } = await setup(Orders, Cleanup);
    await clock.advance('20s');
    expect(instances.size).toBe(4);
    expect(log).toEqual(['created', 'tick', 'disposed', 'created', 'tick', 'disposed']);
    expect(outcomes()).toEqual(['tick.completed', 'tick.completed']);
  });

  it('keeps the one instance of a service that depends on nothing scoped', async () => {
    const instances = new Set<object>();
    @BackgroundService({ every: '10s' })
    class Cleanup {
      execute(): void {
        instances.add(this);
      }
    }
    const { app, clock } = await setup(Cleanup);
    await clock.advance('30s');
    expect([...instances]).toEqual([app.get(Cleanup)]);
  });

  it('gives a transient service a new instance for each tick', async () => {
    const instances = new Set<object>();
    @Injectable({ scope: Scope.TRANSIENT })
    @BackgroundService({ every: '10s' })
    class Cleanup {
      readonly field = 'initialised';
      execute(): void {
        if (this.field === 'initialised') instances.add(this);
      }
    }
    const { clock } = await setup(Cleanup);
    await clock.advance('20s');
    expect(instances.size).toBe(2);
  });

  it('holds the context of the tick under REQUEST, by @InjectBackgroundContext() and by BackgroundContext.current()', async () => {
    const found: unknown[][] = [];
    @BackgroundService({ every: '10s' })
    class Cleanup {
      constructor(
        @Inject(REQUEST) readonly request: object,
        @InjectBackgroundContext() readonly context: TickContext,
      ) {}
      execute(_: AbortSignal, tick: TickContext): void {
        found.push([tick, this.request, this.context, BackgroundContext.current()]);
      }
    }
    const { clock } = await setup(Cleanup);
    await clock.advance('10s');
    const [[tick, ...others]] = found as [[TickContext, ...unknown[]]];
    expect(tick).toMatchObject({ service: 'Cleanup', count: 1, missed: 0 });
    expect(others.every((other) => other === tick)).toBe(true);
    expect(BackgroundContext.current()).toBeUndefined();
  });

  it('can be asked for more during the tick', async () => {
    const log: string[] = [];
    const Orders = noted(log);
    @BackgroundService({ every: '10s' })
    class Cleanup {
      async execute(_: AbortSignal, { scope }: TickContext): Promise<void> {
        log.push((await scope.resolve(Orders)) === (await scope.resolve(Orders)) ? 'same' : 'different');
      }
    }
    const { clock } = await setup(Orders, Cleanup);
    await clock.advance('10s');
    expect(log).toEqual(['created', 'same', 'disposed']);
  });

  it('is disposed when the tick fails', async () => {
    const log: string[] = [];
    const Orders = noted(log);
    @BackgroundService({ every: '10s' })
    class Cleanup {
      constructor(@Inject(Orders) readonly orders: object) {}
      execute(): void {
        throw new Error('locked');
      }
    }
    const { clock, outcomes } = await setup(Orders, Cleanup);
    await clock.advance('10s');
    expect(log).toEqual(['created', 'disposed']);
    expect(outcomes()).toEqual(['tick.failed']);
  });

  it('D21 is disposed when a constructor throws: the tick has failed, the next one is tried', async () => {
    const log: string[] = [];
    const Orders = noted(log);
    @Injectable({ scope: Scope.REQUEST })
    class Broken {
      constructor(@Inject(Orders) readonly orders: object) {
        throw new Error('no connection');
      }
    }
    @BackgroundService({ every: '10s' })
    class Cleanup {
      constructor(readonly broken: Broken) {}
      execute(): void {
        log.push('tick');
      }
    }
    const { app, clock, outcomes } = await setup(Orders, Broken, Cleanup);
    await clock.advance('20s');
    expect(log).toEqual(['created', 'disposed', 'created', 'disposed']);
    expect(outcomes()).toEqual(['tick.failed', 'tick.failed']);
    expect(app.get(BackgroundHost).service(Cleanup).lastError).toMatchObject({ message: 'no connection' });
  });

  it('D14 reports what fails to dispose, and the tick has its outcome all the same', async () => {
    const error = new Error('stuck');
    @Injectable({ scope: Scope.REQUEST })
    class Stuck implements Disposable {
      [Symbol.dispose](): void {
        throw error;
      }
    }
    @BackgroundService({ every: '10s' })
    class Cleanup {
      constructor(readonly stuck: Stuck) {}
      execute(): void {}
    }
    const { clock, seen, outcomes } = await setup(Stuck, Cleanup);
    await clock.advance('10s');
    expect(outcomes()).toEqual(['scope.disposeFailed', 'tick.completed']);
    expect(seen).toContainEqual(
      expect.objectContaining({ type: 'scope.disposeFailed', owner: "a tick of service 'Cleanup'", error }),
    );
  });
});

describe('the scope of a task', () => {
  it('gives each task instances of its own, and is disposed before the result settles', async () => {
    const log: string[] = [];
    const Orders = noted(log);
    const { queue } = await setup(Orders);
    const work = async ({ scope }: TaskContext): Promise<object> => scope.resolve<object>(Orders);
    const first = await (await queue.enqueue(work)).result();
    log.push('settled');
    const second = await (await queue.enqueue(work)).result();
    expect(first).not.toBe(second);
    expect(log).toEqual(['created', 'disposed', 'settled', 'created', 'disposed']);
  });

  it('holds the context of the task', async () => {
    @Injectable()
    class Who {
      constructor(@InjectBackgroundContext() readonly context: TaskContext) {}
    }
    const { queue } = await setup(Who);
    const handle = await queue.enqueue(
      async (context) => (await context.scope.resolve(Who)).context === context,
    );
    expect(await handle.result()).toBe(true);
  });
});
