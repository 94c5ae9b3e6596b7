import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { Clock } from 'nestjs-nightshift/channels';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BackgroundEvents } from '../events/background-events.js';
import { LongRunningService } from '../hosting/long-running-service.js';
import { NoScopes } from '../scopes/no-scopes.fixture.js';
import { resolveServiceOptions } from './background-service.options.js';
import { TickRunner } from './tick-runner.js';

/** A clock whose timers keep the async context in which they are armed, as the platform's do. */
function contextualClock() {
  const manual = new ManualClock();
  const clock: Clock = {
    now: () => manual.now(),
    monotonic: () => manual.monotonic(),
    schedule: (delayMs, callback) => manual.schedule(delayMs, AsyncResource.bind(callback)),
  };
  return { manual, clock };
}

/** A service that ticks every second, and what of a request each of its ticks sees. */
function setup() {
  const request = new AsyncLocalStorage<string>();
  const { manual, clock } = contextualClock();
  const seen: (string | undefined)[] = [];
  const runner = new TickRunner({
    name: 'a',
    clock,
    events: new BackgroundEvents(clock),
    scopes: new NoScopes(),
    options: { ...resolveServiceOptions({ every: '1s' }, 'test', 'a').ticks } as never,
    work: () => void seen.push(request.getStore()),
  });
  onTestFinished(() => runner.stop(new AbortController().signal));
  runner.start();
  return { request, manual, runner, seen };
}

describe('the async context of ticks', () => {
  it.each<[string, (runner: TickRunner) => void]>([
    ['starts the service', (runner) => runner.begin()],
    ['gives it another schedule', (runner) => runner.reschedule({ every: '1s' })],
    ['resumes it', (runner) => runner.resume()],
  ])('has nothing of a request, at any tick, when that %s', async (_, steer) => {
    const { request, manual, runner, seen } = setup();
    runner.begin();
    request.run('of a request', () => steer(runner));
    await manual.advance('3s');
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  it('has nothing of a request when that triggers a tick', async () => {
    const { request, runner, seen } = setup();
    runner.begin();
    await request.run('of a request', () => runner.trigger());
    expect(seen).toEqual([undefined]);
  });
});

describe('the async context of a long-running service', () => {
  it('has nothing of a request when that starts it, nor after a restart', async () => {
    const request = new AsyncLocalStorage<string>();
    const { manual, clock } = contextualClock();
    const seen: (string | undefined)[] = [];
    const execute = async (): Promise<void> => {
      seen.push(request.getStore());
      if (seen.length === 1) throw new Error('no sugar');
    };
    const restart = { maxRestarts: 1, withinMs: 60_000, backoff: { delayMs: () => 1_000 } };
    const service = new LongRunningService({ execute }, { name: 'a', clock, restart });
    request.run('of a request', () => {
      service.start();
      service.begin();
    });
    await manual.advance('1s');
    expect(seen).toEqual([undefined, undefined]);
  });
});
