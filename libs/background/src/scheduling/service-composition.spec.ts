import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundEvent, BackgroundEventType } from '../events/events.js';
import { BackgroundHost } from '../hosting/host.js';
import type { OccurrenceStorage } from '../hosting/occurrence-storage.js';
import { hostingDefaults } from '../hosting/hosting.options.js';
import { ApplicationLifetime } from '../hosting/lifetime.js';
import type { TickContext } from '../scopes/context.js';
import { NoScopes } from '../scopes/no-scopes.fixture.js';
import type { BackgroundServiceOptions } from './background-service.options.js';
import { composeObject, type ServiceDependencies } from './service-composition.js';
import { SharedOccurrences } from './shared-occurrences.fixture.js';

function setup(occurrences?: OccurrenceStorage) {
  const clock = new ManualClock();
  const events = new BackgroundEvents(clock);
  const lifetime = new ApplicationLifetime();
  const seen: BackgroundEvent[] = [];
  events.stream.subscribe((event) => seen.push(event));
  const dependencies: ServiceDependencies = {
    clock,
    events,
    scopes: new NoScopes(),
    wrap: undefined,
    exceptionBehavior: 'stopHost',
    occurrences,
  };
  const compose = (service: unknown, options: BackgroundServiceOptions = {}) =>
    composeObject(service, options, dependencies);
  const host = new BackgroundHost({
    options: { ...hostingDefaults, clock },
    events,
    lifetime,
    compose: (service, options) => compose(service, options as BackgroundServiceOptions),
  });
  const ofType = (type: BackgroundEventType) => seen.filter((event) => event.type === type);
  return { clock, lifetime, compose, host, ofType };
}

class Stirrer {
  readonly ticks: (TickContext | undefined)[] = [];
  readonly hooks: string[] = [];

  execute(_stoppingToken: AbortSignal, tick?: TickContext): void {
    this.ticks.push(tick);
  }

  starting(): void {
    this.hooks.push('starting');
  }

  started(): void {
    this.hooks.push('started');
  }

  stopping(): void {
    this.hooks.push('stopping');
  }

  stopped(): void {
    this.hooks.push('stopped');
  }
}

class Connection {
  readonly calls: string[] = [];

  start(): void {
    this.calls.push('start');
  }

  stop(): void {
    this.calls.push('stop');
  }
}

const failing = () => Promise.reject(new Error('tick'));
const never = () => new Promise<void>(() => {});

describe('composeObject', () => {
  it('makes a long-running service of an object with execute', () => {
    const { compose } = setup();
    expect(compose(new Stirrer())).toMatchObject({
      name: 'Stirrer',
      token: Stirrer,
      enabled: true,
      exceptionBehavior: 'stopHost',
      runner: { kind: 'longRunning' },
    });
    expect(compose(new Stirrer(), { exceptionBehavior: 'ignore' }).exceptionBehavior).toBe('ignore');
  });

  it('makes a service that ticks of one with a schedule', () => {
    const { runner } = setup().compose(new Stirrer(), { every: '1s' });
    expect(runner.kind).toBe('ticked');
    expect(runner.ticks).toBeDefined();
  });

  it('makes a hosted service of an object with start and stop', () => {
    const { compose } = setup();
    expect(compose(new Connection(), { enabled: false })).toMatchObject({
      name: 'Connection',
      enabled: false,
      runner: { kind: 'hosted' },
    });
  });

  it.each([{ execute() {} }, Object.assign(Object.create(null) as object, { execute() {} })])(
    'needs a name for an object without a class',
    (service) => {
      const { compose } = setup();
      expect(() => compose(service)).toThrow(/give it a name/);
      expect(compose(service, { name: 'x' })).toMatchObject({ name: 'x', token: undefined });
    },
  );

  it.each([
    [undefined, /undefined cannot run as a service/],
    [null, /null cannot run as a service/],
    [() => {}, /cannot run as a service/],
    [new Map(), /Map cannot run as a service: it has neither execute\(\), nor start\(\) and stop\(\)/],
    [Object.assign(new Map(), { start() {} }), /neither execute/],
  ])('refuses what cannot run: %s', (service, message) => {
    expect(() => setup().compose(service)).toThrow(message);
  });

  it('refuses a schedule for an object without execute', () => {
    expect(() => setup().compose(new Connection(), { every: '1s' })).toThrow(/a schedule needs execute\(\)/);
  });

  it('refuses options that cannot be used', () => {
    expect(() => setup().compose(new Stirrer(), { every: 'often' })).toThrow(/addService\.every/);
  });
});

describe('Services on a host', () => {
  it('a hosted service is started and stopped, with the hooks that it has', async () => {
    const { host } = setup();
    const connection = new Connection();
    const { hooks, starting, started, stopping, stopped } = new Stirrer();
    const { calls, start, stop } = new Connection();
    await host.addService(connection);
    await host.addService(
      { hooks, calls, starting, started, stopping, stopped, start, stop },
      { name: 'with hooks' },
    );
    await host.start();
    await host.stop();
    expect(connection.calls).toEqual(['start', 'stop']);
    expect(hooks).toEqual(['starting', 'started', 'stopping', 'stopped']);
  });

  it('a service that ticks gets its ticks, its hooks once, and its steering by the handle', async () => {
    const { host, clock, ofType } = setup();
    const stirrer = new Stirrer();
    await host.start();
    const handle = await host.addService(stirrer, { every: '1s' });
    await clock.advance('2s');
    handle.pause();
    await clock.advance('2s');
    handle.resume();
    handle.reschedule({ every: '3s' });
    expect(handle.nextTickAt).toEqual(new Date('2026-01-01T00:00:07Z'));
    expect(await handle.trigger()).toMatchObject({ outcome: 'completed' });
    await clock.advance('3s');
    expect(stirrer.ticks.map((tick) => tick?.count)).toEqual([1, 2, 3, 4]);
    expect(handle.lastTick).toMatchObject({ scheduledAt: new Date('2026-01-01T00:00:07Z') });
    await host.stop();
    expect(stirrer.hooks).toEqual(['starting', 'started', 'stopping', 'stopped']);
    expect(ofType('service.rescheduled')).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('an exclusive service claims its ticks in the storage that all services are given', async () => {
    const storage = new SharedOccurrences().process();
    const { host, clock } = setup(storage);
    const stirrer = new Stirrer();
    await host.start();
    const handle = await host.addService(stirrer, { every: '1m', exclusive: true });
    expect(handle.exclusive).toBe(true);
    await clock.advance('1m');
    expect(storage.calls).toEqual(['latest', 'claim 00:01:00', 'complete 00:01:00']);
    expect(stirrer.ticks).toHaveLength(1);
    await host.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('a claim that is not answered is named at the deadline, and settles the service when it is', async () => {
    const storage = new SharedOccurrences().process();
    const { host, clock, ofType } = setup(storage);
    const stirrer = new Stirrer();
    const handle = await host.addService(stirrer, { every: '1m', exclusive: true });
    await host.start();
    const answer = storage.hold('claim');
    await clock.advance('1m');
    const stop = host.stop();
    await clock.advance('30s');
    await stop;
    expect(ofType('service.abandoned')).toMatchObject([
      { running: ['claim of the tick due at 2026-01-01T00:01:00.000Z'] },
    ]);
    answer();
    await clock.advance(0);
    expect([handle.state, stirrer.ticks]).toEqual(['stopped', []]);
  });

  it('B34 no tick starts once stopping has fired, long before the service has its turn to stop', async () => {
    const { host, clock, lifetime } = setup();
    const stirrer = new Stirrer();
    await host.addService(stirrer, { every: '1s' });
    await host.start();
    await clock.advance('1s');
    lifetime.stopApplication();
    await clock.advance('10s');
    expect(stirrer.ticks).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
    await expect(host.service(Stirrer).trigger()).rejects.toMatchObject({ code: 'ILLEGAL_STATE' });
    await host.stop();
  });

  it('a service that ticks goes through stop and start again, from its first tick', async () => {
    const { host, clock } = setup();
    const stirrer = new Stirrer();
    const handle = await host.addService(stirrer, { every: '1s' });
    await host.start();
    await clock.advance(1_500);
    await handle.stop();
    expect([handle.state, handle.nextTickAt, clock.pendingTimers]).toEqual(['stopped', undefined, 0]);
    await clock.advance('5s');
    await handle.start();
    await clock.advance('1s');
    expect(stirrer.ticks.map((tick) => tick?.count)).toEqual([1, 1]);
    await host.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('a failed tick stops the host, and comes out of its stop, when onError is stopHost', async () => {
    const { host, clock, lifetime } = setup();
    const handle = await host.addService(
      { execute: failing },
      { name: 'x', every: '1s', onError: 'stopHost' },
    );
    await host.start();
    await clock.advance('1s');
    expect(handle.state).toBe('faulted');
    expect(lifetime.stopping.aborted).toBe(true);
    await expect(host.stop()).rejects.toThrow('tick');
  });

  it('the other ticks of a service that faulted are still waited for, and named at the deadline', async () => {
    const { host, clock, ofType } = setup();
    const works = [failing, never];
    const options = { name: 'x', every: '1s', overlap: 'parallel', onError: 'stopService' } as const;
    const handle = await host.addService({ execute: () => works.pop()!() }, options);
    await host.start();
    await clock.advance('2s');
    expect(handle.state).toBe('faulted');
    const stop = host.stop();
    await clock.advance('30s');
    await stop;
    expect(ofType('service.abandoned')).toMatchObject([{ running: [expect.stringContaining('tick 1')] }]);
    expect(handle.state).toBe('abandoned');
  });

  it('a tick that never ends is named at the deadline, and the timers are gone', async () => {
    const { host, clock, ofType } = setup();
    await host.addService({ execute: never }, { name: 'x', every: '1s', timeout: '1h' });
    await host.start();
    await clock.advance('1s');
    const stop = host.stop();
    await clock.advance('30s');
    await stop;
    expect(ofType('service.abandoned')).toMatchObject([{ running: [expect.stringMatching(/^tick 1 \(/)] }]);
    expect(clock.pendingTimers).toBe(0);
  });
});
