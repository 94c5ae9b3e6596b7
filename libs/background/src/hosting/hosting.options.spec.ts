import { systemClock } from 'nestjs-nightshift/channels';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { OptionsReader } from '../options-reader.js';
import { hostingDefaults, hostingKeys, readHostingOptions, type HostingOptions } from './hosting.options.js';

function wrap<R>(_context: unknown, run: () => Promise<R>) {
  return run();
}

function read(options: object = {}) {
  const check = new OptionsReader<HostingOptions>('forRoot', options, hostingKeys);
  const resolved = readHostingOptions(check);
  check.finish();
  return resolved;
}

describe('readHostingOptions', () => {
  it('H37 gives the defaults of .NET when nothing is set', () => {
    expect(read()).toEqual(hostingDefaults);
    expect(read()).toMatchObject({
      shutdownTimeoutMs: 30_000,
      startupTimeoutMs: Number.POSITIVE_INFINITY,
      servicesStartConcurrently: false,
      servicesStopConcurrently: false,
      exceptionBehavior: 'stopHost',
      clock: systemClock,
    });
  });

  it('H37 takes a timeout of zero', () => {
    expect(read({ shutdownTimeout: 0, startupTimeout: '0s' })).toMatchObject({
      shutdownTimeoutMs: 0,
      startupTimeoutMs: 0,
    });
  });

  it('reads infinite as no limit', () => {
    expect(read({ shutdownTimeout: 'infinite' }).shutdownTimeoutMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('gives a frozen object with what is set', () => {
    const clock = new ManualClock();
    const resolved = read({ clock, wrap, drainOn: 'onModuleDestroy', keepAlive: true });
    expect(resolved).toMatchObject({ clock, wrap, drainOn: 'onModuleDestroy', keepAlive: true });
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  it('makes enabled a question about a service, whichever way it is written', () => {
    const [web, worker] = [
      { name: 'web', kind: 'hosted' as const },
      { name: 'worker', kind: 'queue' as const },
    ];
    expect(read().enabled(web)).toBe(true);
    expect(read({ enabled: true }).enabled(web)).toBe(true);
    expect(read({ enabled: false }).enabled(web)).toBe(false);
    const byKind = read({ enabled: ({ kind }: { kind: string }) => kind === 'queue' });
    expect([byKind.enabled(web), byKind.enabled(worker)]).toEqual([false, true]);
  });

  it.each([
    ['servicesStartConcurrently', 1],
    ['servicesStopConcurrently', 'yes'],
    ['startupTimeout', -1],
    ['shutdownTimeout', 'soon'],
    ['exceptionBehavior', 'panic'],
    ['drainOn', 'never'],
    ['enabled', 'web'],
    ['keepAlive', null],
    ['clock', { now: () => 0 }],
    ['clock', null],
    ['wrap', {}],
    ['shutdownTimout', '30s'],
  ])('names %s when its value is %s', (key, value) => {
    expect(() => read({ [key]: value })).toThrow(`forRoot.${key}`);
  });

  it('says that infinite is possible when a timeout cannot be read', () => {
    expect(() => read({ shutdownTimeout: 'never' })).toThrow(/or 'infinite'/);
  });
});
