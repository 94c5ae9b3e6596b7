import { Injectable, type Provider } from '@nestjs/common';
import { describe, expect, it, vi } from 'vitest';
import { errorOf } from '../error-of.fixture.js';
import { gate, isSettled } from '../gate.fixture.js';
import { BackgroundHost } from '../hosting/host.js';
import { nowAndLater, throwing } from '../hosting/throwing.fixture.js';
import type { BackgroundModuleOptions } from './background.options.js';
import { HostedService } from './decorators.js';
import { servicesOf, setupRun } from './run-until-stopped.fixture.js';
import { runUntilStopped } from './run-until-stopped.js';

const boom = new Error('boom');

/** An application with one service and one ordinary provider; `log` tells what happens to them. */
async function setup(options: BackgroundModuleOptions = {}, more: Provider[] = []) {
  const log: string[] = [];
  @HostedService()
  class Oven {
    start = () => void log.push('oven starts');
    stop = () => void log.push('oven stops');
  }
  @Injectable()
  class Database {
    onModuleInit = () => void log.push('database opens');
    onApplicationShutdown = () => void log.push('database closes');
  }
  const bundle = await setupRun(options, [Oven, Database, ...more]);
  for (const point of ['started', 'stopping', 'stopped'] as const)
    bundle.lifetime[point].addEventListener('abort', () => log.push(point));
  return { ...bundle, log };
}

describe('runUntilStopped', () => {
  it('S20 S22 starts, waits to be stopped, stops, closes the rest, and resolves, in this order', async () => {
    const { app, clock, lifetime, log } = await setup();
    const run = runUntilStopped(app).then(() => log.push('resolved'));
    expect(await isSettled(run, clock)).toBe(false);
    await clock.advance('1d');
    expect(log).toEqual(['database opens', 'oven starts', 'started']);
    lifetime.stopApplication();
    await run;
    expect(log.slice(3)).toEqual(['stopping', 'oven stops', 'stopped', 'database closes', 'resolved']);
  });

  it('S23 leaves the stop all of its time, however it was asked for', async () => {
    const aborted: boolean[] = [];
    @HostedService()
    class Slow {
      start(): void {}
      stop(signal: AbortSignal): Promise<void> {
        aborted.push(signal.aborted);
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      }
    }
    const { app, clock, lifetime } = await setup({ shutdownTimeout: '30s' }, [Slow]);
    const run = runUntilStopped(app);
    await clock.advance(0);
    lifetime.stopApplication();
    await clock.advance(29_999);
    expect(aborted).toEqual([false]);
    expect(await isSettled(run, clock)).toBe(false);
    await clock.advance(1);
    await run;
  });

  it('S24 stops everything once when the host is stopped by somebody else', async () => {
    const { app, clock, log } = await setup();
    const run = runUntilStopped(app);
    await clock.advance(0);
    log.length = 0;
    await Promise.all([app.get(BackgroundHost).stop(), run]);
    expect(log).toEqual(['stopping', 'oven stops', 'stopped', 'database closes']);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGQUIT'] as const)(
    'S28 takes %s for a request to stop, and only while it runs',
    async (signal) => {
      const { app, clock, lifetime, exit } = await setup();
      const before = process.listeners(signal);
      const run = runUntilStopped(app);
      await clock.advance(0);
      const added = process.listeners(signal).filter((listener) => !before.includes(listener));
      expect(added).toHaveLength(1);
      added[0]!(signal); // not emitted: the test runner may listen too
      expect(lifetime.stopReason).toBe(signal);
      await run;
      expect(process.listeners(signal)).toEqual(before);
      expect(exit).not.toHaveBeenCalled();
    },
  );

  it.each(nowAndLater)('B27 B28 rejects, with the exit code 1, when execute throws %s', async (when) => {
    const { app } = await setup({}, servicesOf(throwing(boom, when)));
    expect(await errorOf(runUntilStopped(app))).toBe(boom);
    expect(process.exitCode).toBe(1);
  });

  it('S32 resolves, and leaves the exit code alone, when the fault is to be ignored', async () => {
    const { app, clock, lifetime } = await setup(
      { exceptionBehavior: 'ignore' },
      servicesOf(() => Promise.reject(boom)),
    );
    const run = runUntilStopped(app);
    expect(await isSettled(run, clock)).toBe(false);
    lifetime.stopApplication();
    await run;
    expect(process.exitCode).toBeUndefined();
  });

  it('H20 rejects with what made the start fail, when all that had been opened is stopped and closed', async () => {
    const held = gate();
    @HostedService()
    class Server {
      async start(): Promise<void> {
        await held.opened;
        throw boom;
      }
      stop(): void {}
    }
    const { app, clock, log } = await setup({}, [Server]);
    const run = runUntilStopped(app);
    const failed = errorOf(run).then((error) => (log.push('rejected'), error));
    await clock.advance(0);
    held.open();
    expect(await failed).toBe(boom);
    expect(log.slice(0, 3)).toEqual(['database opens', 'oven starts', 'oven stops']);
    expect(log).not.toContain('started');
    expect(log.slice(-2)).toEqual(['database closes', 'rejected']);
  });

  it('S8 rejects with the fault and with what closing threw when both went wrong', async () => {
    const closing = new Error('cannot close');
    const { app, log } = await setup(
      {},
      servicesOf(() => Promise.reject(boom)),
    );
    vi.spyOn(app, 'close').mockRejectedValueOnce(closing);
    const error = (await errorOf(runUntilStopped(app))) as AggregateError;
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.errors).toEqual([boom, closing]);
    expect(process.exitCode).toBe(1);
    expect(log).toContain('oven stops');
  });
});
