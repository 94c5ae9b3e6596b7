/* oxlint-disable unicorn/consistent-function-scoping -- bodies that are compiled and never run stand where they tell something */
import type { DynamicModule } from '@nestjs/common';
import {
  BackgroundHost,
  BackgroundModule,
  BackgroundService,
  constant,
  exponential,
  HostedService,
  linear,
  PeriodicTimer,
  TaskQueue,
  type BackgroundModuleOptions,
  type BackgroundServiceOptions,
  type HostedServiceOptions,
  type HostingOptions,
  type RestartOptions,
  type ConcurrencyOptions,
  type DeduplicationOptions,
  type EnqueueOptions,
  type RateLimitOptions,
  type RetentionOptions,
  type TaskQuery,
  type ScheduleChange,
  type TaskDefinitionOptions,
  type TaskQueueOptions,
} from 'nestjs-nightshift';
import {
  createBoundedChannel,
  createPriorityChannel,
  type BoundedChannelOptions,
  type ExponentialOptions,
  type LinearOptions,
  type PeriodicTimerOptions,
  type PriorityChannelOptions,
  type WaitOptions,
} from 'nestjs-nightshift/channels';
import { ManualClock, type ManualClockOptions } from 'nestjs-nightshift/testing';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { startApplication } from '../demands/application.js';

/** The optional keys that may be left out, but not be given as `undefined`: a value of a configuration may be that. */
type RefusingUndefined<T> = {
  [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? { [P in K]: undefined } extends Pick<T, K>
      ? never
      : K
    : never;
}[keyof T];

describe('an option that is undefined', () => {
  it('compiles under exactOptionalPropertyTypes', () => {
    expectTypeOf<RefusingUndefined<{ a?: 1; b?: 1 | undefined; c: 1 }>>().toEqualTypeOf<'a'>();
    expectTypeOf<RefusingUndefined<HostingOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<BackgroundModuleOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<BackgroundServiceOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<HostedServiceOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<RestartOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<ScheduleChange>>().toBeNever();
    expectTypeOf<RefusingUndefined<BoundedChannelOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<PriorityChannelOptions<number>>>().toBeNever();
    expectTypeOf<RefusingUndefined<LinearOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<ExponentialOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<PeriodicTimerOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<TaskQueueOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<EnqueueOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<TaskDefinitionOptions<string>>>().toBeNever();
    expectTypeOf<RefusingUndefined<DeduplicationOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<ConcurrencyOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<RateLimitOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<RetentionOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<TaskQuery>>().toBeNever();
    expectTypeOf<RefusingUndefined<WaitOptions>>().toBeNever();
    expectTypeOf<RefusingUndefined<ManualClockOptions>>().toBeNever();
  });

  it('counts as left out in the options of the module', () => {
    const options: Required<{ [K in keyof BackgroundModuleOptions]: undefined }> = {
      servicesStartConcurrently: undefined,
      servicesStopConcurrently: undefined,
      startupTimeout: undefined,
      shutdownTimeout: undefined,
      exceptionBehavior: undefined,
      drainOn: undefined,
      enabled: undefined,
      keepAlive: undefined,
      clock: undefined,
      wrap: undefined,
      queue: undefined,
      engine: undefined,
    };
    expect(forRoot(options).module).toBe(BackgroundModule);
  });

  it('counts as left out in the options of a queue, and of a task', async () => {
    const options = {
      name: undefined,
      capacity: undefined,
      fullMode: undefined,
      concurrency: undefined,
      timeout: undefined,
      onDropped: undefined,
    };
    await using started = await startApplication({}, { queue: options });
    const queue = started.app.get(TaskQueue);
    expect(queue).toMatchObject({ name: 'default', capacity: 100 });
    const ofTask = { name: undefined, timeout: undefined, metadata: undefined, signal: undefined };
    const task = await queue.enqueue(({ metadata }) => metadata, ofTask);
    expect(await task.result()).toEqual({});
  });

  it('counts as left out in the options of a service', () => {
    const longRunning: BackgroundServiceOptions = {
      name: undefined,
      enabled: undefined,
      every: undefined,
      cron: undefined,
      timeZone: undefined,
      runOnStart: undefined,
      initialDelay: undefined,
      jitter: undefined,
      overlap: undefined,
      misfire: undefined,
      exclusive: undefined,
      timeout: undefined,
      onError: undefined,
      exceptionBehavior: undefined,
      restart: { maxRestarts: undefined, within: undefined, backoff: undefined },
    };
    class Worker {
      execute(): void {}
      start(): void {}
      stop(): void {}
    }
    expect(() => BackgroundService(longRunning)(Worker)).not.toThrow();
    expect(() =>
      BackgroundService({ ...longRunning, restart: undefined, every: '1s' })(Worker),
    ).not.toThrow();
    expect(() => HostedService({ name: undefined, enabled: undefined })(Worker)).not.toThrow();
  });

  it('counts as left out in what addService() is given beside the options of the class', async () => {
    class Cleanup {
      execute(): void {}
    }
    BackgroundService({ every: '1h' })(Cleanup);
    await using started = await startApplication({});
    const host = started.app.get(BackgroundHost);
    const service = await host.addService(new Cleanup(), { name: undefined, every: undefined });
    expect(service).toMatchObject({ name: 'Cleanup', schedule: 'every 1h' });
  });

  it('counts as left out in the options of channels, timers, backoffs and clocks', async () => {
    const { reader, writer } = createBoundedChannel<number>({
      capacity: 1,
      fullMode: undefined,
      onDropped: undefined,
    });
    await writer.write(1, { signal: undefined });
    expect(await reader.read({ signal: undefined })).toBe(1);
    const byNumber = (one: number, other: number): number => one - other;
    const options = { compare: byNumber, capacity: undefined, fullMode: undefined, onDropped: undefined };
    expect(createPriorityChannel(options).writer.tryWrite(1)).toBe(true);
    expect(new PeriodicTimer('1s', { clock: undefined }).period).toBe(1_000);
    expect(new ManualClock({ now: undefined }).now()).toBe(new ManualClock().now());
    const growing = linear({ initial: '1s', increment: undefined, max: undefined });
    expect(growing.delayMs(2)).toBe(2_000);
    const doubling = {
      initial: '1s',
      factor: undefined,
      max: undefined,
      jitter: undefined,
      random: undefined,
    };
    expect(exponential(doubling).delayMs(2)).toBe(2_000);
    expect(constant('1s').delayMs(2)).toBe(1_000);
  });
});

describe('the options of the module', () => {
  it('refuse keys and values that nothing reads', () => {
    const wrong = () => [
      // @ts-expect-error: a slip of the pen
      BackgroundModule.forRoot({ shutdownTimeOut: '5s' }),
      // @ts-expect-error: no such value
      BackgroundModule.forRoot({ drainOn: 'beforeApplicationShutdown' }),
      // @ts-expect-error: true, false, or a function of the service
      BackgroundModule.forRoot({ enabled: 'worker' }),
      // @ts-expect-error: a slip of the pen, one level down
      BackgroundModule.forRoot({ queue: { capactiy: 10 } }),
      // @ts-expect-error: without a name it would be the default queue
      BackgroundModule.registerQueue({ capacity: 10 }),
      // @ts-expect-error: a factory, or a class
      BackgroundModule.forRootAsync({ useFactory: { shutdownTimeout: '5s' } }),
      // @ts-expect-error: what the factory gives is checked too
      BackgroundModule.forRootAsync({ useFactory: () => ({ shutdownTimeout: true }) }),
    ];
    expectTypeOf(wrong).toBeFunction();
  });

  it('make a dynamic module of them, given or from a factory', () => {
    const made = () => [
      BackgroundModule.forRoot(),
      BackgroundModule.registerQueue({ name: 'mail' }),
      BackgroundModule.forRootAsync({
        inject: ['config'],
        useFactory: async (config: { timeout?: string }) => ({ shutdownTimeout: config.timeout }),
      }),
    ];
    expectTypeOf(made).returns.toEqualTypeOf<DynamicModule[]>();
  });

  it('tell the function `enabled` which service it is asked about', () => {
    const enabled: BackgroundModuleOptions['enabled'] = ({ name, kind }) => {
      expectTypeOf(name).toEqualTypeOf<string>();
      return kind === 'queue';
    };
    expectTypeOf(enabled).returns.toBeBoolean();
  });
});

function forRoot(options: BackgroundModuleOptions): DynamicModule {
  return BackgroundModule.forRoot(options);
}
