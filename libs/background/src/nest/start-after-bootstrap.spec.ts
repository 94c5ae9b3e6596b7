import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gate, isSettled } from '../gate.fixture.js';
import { ApplicationLifetime } from '../hosting/lifetime.js';
import { BackgroundModule } from './background.module.js';
import type { BackgroundModuleOptions } from './background.options.js';
import { HostedService } from './decorators.js';

/** An application in which another module bootstraps as the test says. `log` tells what the host does. */
async function setup(
  bootstrap: (lifetime: ApplicationLifetime) => Promise<void> | void,
  options: BackgroundModuleOptions = {},
) {
  const log: string[] = [];
  const note = (hook: string) => (signal: AbortSignal) =>
    void log.push(signal.aborted ? `${hook}, aborted` : hook);
  @HostedService()
  class Oven {
    starting = note('starting');
    start = note('start');
    stopping = note('stopping');
    stop = note('stop');
  }
  @Module({})
  class Feature {
    constructor(private readonly lifetime: ApplicationLifetime) {}
    onApplicationBootstrap = () => bootstrap(this.lifetime);
  }
  const clock = new ManualClock();
  const imports = [BackgroundModule.forRoot({ clock, ...options }), Feature];
  const app = await Test.createTestingModule({ imports, providers: [Oven] }).compile();
  onTestFinished(() => app.close().catch(() => {}));
  app.useLogger(false);
  const lifetime = app.get(ApplicationLifetime);
  lifetime.started.addEventListener('abort', () => log.push('started'));
  return { app, clock, lifetime, log };
}

describe('the start of services', () => {
  it('H2 waits until every other module has bootstrapped', async () => {
    const { opened, open } = gate();
    const { app, clock, log } = await setup(() => opened);
    const init = app.init();
    expect(await isSettled(init, clock)).toBe(false);
    expect(log).toEqual([]);
    open();
    await init;
    expect(log).toEqual(['starting', 'start', 'started']);
  });

  it('H3 does not come, nor does a stop of them, when stopping is asked for while another module bootstraps', async () => {
    const { opened, open } = gate();
    const { app, clock, lifetime, log } = await setup(() => opened);
    const init = app.init();
    await clock.advance(0);
    lifetime.stopApplication();
    expect(await isSettled(init, clock)).toBe(false);
    open();
    await init;
    await app.close();
    expect(log).toEqual([]);
    expect([lifetime.started.aborted, lifetime.stopped.aborted]).toEqual([false, true]);
  });

  it('H3 does not come when another module fails to bootstrap', async () => {
    const error = new Error('no database');
    const { app, log } = await setup(() => Promise.reject(error));
    await expect(app.init()).rejects.toBe(error);
    await app.close();
    expect(log).toEqual([]);
  });

  it('H4 does not come when the last step of the bootstrap asks for the stop', async () => {
    const { app, lifetime, log } = await setup((own) => own.stopApplication());
    await app.init();
    await app.close();
    expect(log).toEqual([]);
    expect(lifetime.started.aborted).toBe(false);
  });

  it('H24 has all of startupTimeout, however long other modules took', async () => {
    const { opened, open } = gate();
    const { app, clock, log } = await setup(() => opened, { startupTimeout: '1s' });
    const init = app.init();
    await clock.advance('1h');
    open();
    await init;
    expect(log).toEqual(['starting', 'start', 'started']);
  });
});
