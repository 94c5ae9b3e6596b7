import { describe, expect, it } from 'vitest';
import { setupHost } from './host.fixture.js';
import type { HostedService } from './hosted-service.js';
import type { HostingOptions } from './hosting.options.js';

class Stirrer {
  readonly name = 'stirrer';
}

function failing() {
  return Promise.reject(new Error('no'));
}

const never = () => new Promise<void>(() => {});

function armedTimers() {
  return process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
}

function setup(overrides: HostingOptions = {}) {
  const calls: string[] = [];
  const define = (name: string, own: Partial<HostedService> = {}, token?: unknown) => ({
    name,
    token,
    runner: {
      kind: 'hosted' as const,
      start: async (signal: AbortSignal) => {
        calls.push(`${name}.start`);
        await own.start?.(signal);
      },
      stop: async (signal: AbortSignal) => {
        calls.push(`${name}.stop`);
        await own.stop?.(signal);
      },
      stopped: async (signal: AbortSignal) => {
        await own.stopped?.(signal);
      },
    },
    exceptionBehavior: 'stopHost' as const,
    enabled: true,
  });
  const { clock, lifetime, host, types } = setupHost(overrides, (service, options) =>
    define((options as { name: string }).name, service as HostedService),
  );
  const add = (name: string, own?: Partial<HostedService>, token?: unknown) =>
    host.add(define(name, own, token));
  return { clock, lifetime, calls, host, add, types };
}

describe('BackgroundHost.service', () => {
  it('finds a service by its name and by its class', () => {
    const { host, add } = setup();
    const service = add('stirrer', {}, Stirrer);
    expect(host.service('stirrer')).toBe(service);
    expect(host.service(Stirrer)).toBe(service);
    expect(host.services).toEqual([service]);
  });

  it('names the nearest service when there is none of that name', () => {
    const { host, add } = setup();
    add('stirrer');
    expect(() => host.service('stirer')).toThrow(/Did you mean 'stirrer'\?/);
    expect(() => host.service(Date)).toThrow(/no service named 'Date'/);
  });

  it('finds no service when the class is undefined, as in a circular import', () => {
    const { host, add } = setup();
    add('without a class');
    expect(() => host.service(undefined as never)).toThrow(/no service named 'undefined'/);
  });

  it('refuses a second service of one name', () => {
    const { add } = setup();
    add('stirrer');
    expect(() => add('stirrer')).toThrow(/Two services are named 'stirrer'/);
  });
});

describe('BackgroundHost', () => {
  it('knows what would be cut off if the process ended now', async () => {
    const { add, host, clock } = setup();
    let end!: () => void;
    add('busy', { stop: () => new Promise<void>((resolve) => (end = resolve)) });
    add('done');
    await host.start();
    expect(host.unfinished).toEqual([]);
    const stop = host.stop();
    await clock.advance(0);
    expect(host.unfinished).toEqual(['busy']);
    end();
    await stop;
    expect(host.unfinished).toEqual([]);
  });

  it('names the work and the hooks that would be cut off, of those that have not finished', async () => {
    const { add, host, clock } = setup();
    add('a', { stop: never, stopped: never });
    add('b');
    await host.start();
    const stop = host.stop();
    await clock.advance('30s');
    await stop;
    expect(host.unfinished).toEqual(['a (stop(), stopped())']);
  });

  it('starts nothing, and says nothing, when stopping was asked for before', async () => {
    const { add, host, calls, lifetime, types } = setup();
    add('a');
    lifetime.stopApplication();
    await host.start();
    expect(calls).toEqual([]);
    expect(types()).toEqual(['host.stopping']);
  });
});

describe('HostingOptions.enabled', () => {
  it('keeps a service from starting until its handle is asked when it is not enabled', async () => {
    const { host, add, calls } = setup({ enabled: ({ name }) => name !== 'off' });
    const off = add('off');
    add('on');
    await host.start();
    expect(calls).toEqual(['on.start']);
    expect(off.state).toBe('disabled');
    await off.start();
    expect(off.state).toBe('running');
    await host.stop();
    expect(calls).toEqual(['on.start', 'off.start', 'on.stop', 'off.stop']);
  });
});

describe('HostingOptions.enabled and a service that is added at run time', () => {
  it('does not start it, and leaves that to its handle, when it is not enabled', async () => {
    const { host, calls } = setup({ enabled: ({ name }) => name !== 'late' });
    await host.start();
    const late = await host.addService({}, { name: 'late' });
    expect([late.state, calls]).toEqual(['disabled', []]);
    await late.start();
    expect(calls).toEqual(['late.start']);
    await host.stop();
  });
});

describe('HostingOptions.keepAlive', () => {
  it('holds nothing when it is not set', async () => {
    const { host } = setup();
    const before = armedTimers();
    await host.start();
    expect(armedTimers()).toBe(before);
    await host.stop();
  });

  it('lets the process go when the start fails', async () => {
    const { host, add } = setup({ keepAlive: true });
    const before = armedTimers();
    add('a', { start: failing });
    await expect(host.start()).rejects.toThrow('no');
    expect(armedTimers()).toBe(before);
  });

  it('holds the process from start to stop', async () => {
    const { host } = setup({ keepAlive: true });
    const before = armedTimers();
    await host.start();
    expect(armedTimers()).toBe(before + 1);
    await host.stop();
    expect(armedTimers()).toBe(before);
  });
});

describe('BackgroundHost.addService', () => {
  it('starts a service at once when the host has started', async () => {
    const { host, calls } = setup();
    await host.start();
    const service = await host.addService({}, { name: 'late' });
    expect(calls).toEqual(['late.start']);
    expect(service.state).toBe('running');
  });

  it('starts a service with the others when the host has not started', async () => {
    const { host, add, calls } = setup();
    add('a');
    await host.addService({}, { name: 'late' });
    expect(calls).toEqual([]);
    await host.start();
    expect(calls).toEqual(['a.start', 'late.start']);
  });

  it('starts a service after the others when a hook of the start adds and awaits it', async () => {
    const { host, add, calls, lifetime } = setup();
    add('a', { start: async () => void (await host.addService({}, { name: 'late' })) });
    add('b');
    await host.start();
    expect(calls).toEqual(['a.start', 'b.start', 'late.start']);
    expect(host.service('late').state).toBe('running');
    expect(lifetime.started.aborted).toBe(true);
  });

  it('fails the start when a service that was added during it cannot start', async () => {
    const { host, add, calls } = setup();
    add('a', { start: async () => void (await host.addService({ start: failing }, { name: 'late' })) });
    await expect(host.start()).rejects.toThrow('no');
    expect(calls).toEqual(['a.start', 'late.start', 'a.stop']);
  });

  it('stops a service before all that were there before it', async () => {
    const { host, add, calls } = setup();
    add('a');
    await host.start();
    await host.addService({}, { name: 'late' });
    await host.stop();
    expect(calls.slice(2)).toEqual(['late.stop', 'a.stop']);
  });

  it('rejects and keeps the handle when the service fails to start', async () => {
    const { host, calls } = setup();
    await host.start();
    await expect(host.addService({ start: failing }, { name: 'late' })).rejects.toThrow('no');
    expect(host.service('late').state).toBe('faulted');
    await host.stop();
    expect(calls).toEqual(['late.start']);
  });

  it('rejects when the host is stopping', async () => {
    const { host, lifetime } = setup();
    await host.start();
    lifetime.stopApplication();
    await expect(host.addService({}, { name: 'late' })).rejects.toMatchObject({
      code: 'ILLEGAL_STATE',
      message: 'Adding a service is not possible while the host is stopping.',
    });
    expect(host.services).toEqual([]);
  });

  it('stops a service again, without letting it begin, when the stop comes while it starts', async () => {
    const { host, calls, clock } = setup();
    await host.start();
    let open!: () => void;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const added = host.addService({ start: () => opened }, { name: 'late' });
    const outcome = added.catch((error: unknown) => error);
    await clock.advance(0);
    const stop = host.stop();
    await clock.advance(0);
    expect(calls).toEqual(['late.start']);
    open();
    await stop;
    expect(await outcome).toMatchObject({ code: 'ILLEGAL_STATE' });
    expect(calls).toEqual(['late.start', 'late.stop']);
    expect(host.service('late').state).toBe('stopped');
    expect(clock.pendingTimers).toBe(0);
  });
});
