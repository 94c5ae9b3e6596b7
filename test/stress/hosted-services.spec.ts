import { hammerHostedService, ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { CatchAllMailServer } from '../../apps/sweet-shop/src/mail/catch-all-mail-server.js';
import { BackgroundEvents } from '../../libs/background/src/events/background-events.js';
import type { HostedService } from '../../libs/background/src/hosting/hosted-service.js';
import { LongRunningService } from '../../libs/background/src/hosting/long-running-service.js';
import type { ServiceRunner } from '../../libs/background/src/hosting/service-runner.js';
import { resolveServiceOptions } from '../../libs/background/src/scheduling/background-service.options.js';
import { SharedOccurrences } from '../../libs/background/src/scheduling/shared-occurrences.fixture.js';
import { TickRunner } from '../../libs/background/src/scheduling/tick-runner.js';
import { NoScopes } from '../../libs/background/src/scopes/no-scopes.fixture.js';
import { QueueRegistry } from '../../libs/background/src/tasks/queue-registry.js';
import { resolveQueueOptions } from '../../libs/background/src/tasks/queue.options.js';
import { isLong, runs } from '../long-runs.js';

/** A runner as a hosted service: begun and told to be quiet at the moments at which the host does it. */
function asHostedService(runner: ServiceRunner): HostedService {
  return {
    starting: (signal) => runner.starting?.(signal),
    start: (signal) => runner.start(signal),
    started: async (signal) => {
      await runner.started?.(signal);
      runner.begin?.();
    },
    stopping: async (signal) => {
      runner.quiesce?.('service');
      await runner.stopping?.(signal);
    },
    stop: (signal) => runner.stop(signal),
    stopped: (signal) => runner.stopped?.(signal),
  };
}

/** Work that takes three seconds, and no longer when it is told to stop. */
function worker(clock: ManualClock) {
  return (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const timer = clock.schedule(3_000, () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = () => {
        timer.cancel();
        reject(signal.reason as Error);
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
}

const failsNow = () => Promise.reject(new Error('no'));

describe('the hammer is content with', isLong ? { timeout: 600_000 } : {}, () => {
  it.each([
    ['ends by itself', () => {}],
    ['ends when told to', undefined],
    ['fails and is restarted', failsNow],
  ])('a long-running service whose execute %s', async (_, execute) => {
    const clock = new ManualClock();
    const restart = { maxRestarts: 3, withinMs: 60_000, backoff: { delayMs: () => 1_000 } };
    const create = () =>
      asHostedService(
        new LongRunningService({ execute: execute ?? worker(clock) }, { name: 'a', clock, restart }),
      );
    await expect(
      hammerHostedService(create, { clock, within: '5s', rounds: runs(40) }),
    ).resolves.toBeUndefined();
  });

  it.each(['skip', 'queue', 'parallel'] as const)(
    'a service whose ticks take longer than the period, and overlap is %s',
    async (overlap) => {
      const clock = new ManualClock();
      const events = new BackgroundEvents(clock);
      const { ticks } = resolveServiceOptions({ every: '1s', runOnStart: true, overlap }, 'test', 'a');
      const options = { ...ticks, trigger: ticks.trigger! };
      const work = worker(clock);
      const create = () =>
        asHostedService(new TickRunner({ name: 'a', clock, events, scopes: new NoScopes(), options, work }));
      await expect(
        hammerHostedService(create, { clock, within: '5s', rounds: runs(40) }),
      ).resolves.toBeUndefined();
    },
  );

  it('an exclusive service with a storage', async () => {
    const clock = new ManualClock();
    const events = new BackgroundEvents(clock);
    const shared = new SharedOccurrences();
    const { ticks } = resolveServiceOptions({ every: '1s', exclusive: true, overlap: 'queue' }, 'test', 'a');
    const options = { ...ticks, trigger: ticks.trigger! };
    const work = worker(clock);
    const create = () => {
      const occurrences = shared.process();
      const scopes = new NoScopes();
      return asHostedService(
        new TickRunner({ name: 'a', clock, events, scopes, options, work, occurrences }),
      );
    };
    await expect(
      hammerHostedService(create, { clock, within: '5s', rounds: runs(40) }),
    ).resolves.toBeUndefined();
    expect(shared.processes.some(({ calls }) => calls.length > 0)).toBe(true);
    expect(shared.processes.every(({ listeners }) => listeners.size === 0)).toBe(true);
  });

  it('the worker of a queue, which cannot be started again once it has drained', async () => {
    const clock = new ManualClock();
    const events = new BackgroundEvents(clock);
    const create = () => {
      const registry = new QueueRegistry({ clock, events, scopes: new NoScopes() });
      const queue = registry.create(resolveQueueOptions({ concurrency: 2 }, 'queue'));
      const work = worker(clock);
      for (let task = 0; task < 3; task += 1) queue.tryEnqueue(({ signal }) => work(signal));
      return asHostedService(registry.workers[0]!.runner);
    };
    await expect(
      hammerHostedService(create, { clock, within: '10s', rounds: runs(40), restart: 'refused' }),
    ).resolves.toBeUndefined();
  });

  it('the mail server of the sweet shop', async () => {
    await expect(
      hammerHostedService(() => new CatchAllMailServer(), { rounds: runs(15) }),
    ).resolves.toBeUndefined();
  });
});
