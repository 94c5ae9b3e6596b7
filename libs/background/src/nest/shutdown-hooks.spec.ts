import type { HttpAdapterHost } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { BackgroundEvents } from '../events/background-events.js';
import { ApplicationLifetime } from '../hosting/lifetime.js';
import { BackgroundModule } from './background.module.js';
import { isNotListening, nobodyHandlesSignals, signalThatNestHandles } from './shutdown-hooks.js';

function listenTo(signal: NodeJS.Signals, listener: () => void): void {
  process.on(signal, listener);
  onTestFinished(() => void process.off(signal, listener));
}

/** As much of it as is looked at. */
function hostOf(server: unknown): HttpAdapterHost {
  return { httpAdapter: { getHttpServer: () => server } } as unknown as HttpAdapterHost;
}

describe('shutdown hooks', () => {
  it('are found by the listener that Nest adds', () => {
    expect(signalThatNestHandles()).toBeUndefined();
    listenTo('SIGINT', function cleanup() {});
    expect(signalThatNestHandles()).toBe('SIGINT');
  });

  it('are not missed when anybody handles a stop signal', () => {
    const nobody = ['SIGTERM', 'SIGINT'].every((signal) => process.listenerCount(signal) === 0);
    expect(nobodyHandlesSignals()).toBe(nobody);
    listenTo('SIGTERM', () => {});
    expect(nobodyHandlesSignals()).toBe(false);
  });

  it('do not matter for an application whose server does not listen', () => {
    expect(isNotListening(hostOf({ listening: false }))).toBe(true);
    expect(isNotListening(hostOf({ listening: true }))).toBe(false);
    expect(isNotListening(hostOf(undefined))).toBe(false);
    expect(isNotListening(undefined)).toBe(false);
  });
});

/** An application, and `check`: what its timer does, in a process where so many listen to each stop signal. */
async function setup() {
  const timers = vi.spyOn(globalThis, 'setTimeout');
  const app = await Test.createTestingModule({ imports: [BackgroundModule.forRoot()] }).compile();
  app.useLogger(false);
  onTestFinished(() => app.close());
  const warnings: string[] = [];
  app.get(BackgroundEvents).on('host.warning', ({ code }) => warnings.push(code));
  await app.init();
  const [callback] = timers.mock.calls.find(([, delayMs]) => delayMs === 100)!;
  timers.mockRestore();
  const check = (listeners: number): void => {
    const listenerCount = vi.spyOn(process, 'listenerCount').mockReturnValue(listeners);
    (callback as () => void)();
    listenerCount.mockRestore();
  };
  return { app, warnings, check };
}

describe('the check a moment after the start', () => {
  it('warns when nobody handles stop signals', async () => {
    const { warnings, check } = await setup();
    check(0);
    expect(warnings).toEqual(['SHUTDOWN_HOOKS_OFF']);
  });

  it('does not warn when somebody does', async () => {
    const { warnings, check } = await setup();
    check(1);
    expect(warnings).toEqual([]);
  });

  it('does not warn when the application is stopping by then', async () => {
    const { app, warnings, check } = await setup();
    app.get(ApplicationLifetime).stopApplication();
    check(0);
    expect(warnings).toEqual([]);
  });
});
