import { BackgroundEvents } from '../events/background-events.js';
import type { EventOf } from '../events/events.js';
import { NoScopes } from '../scopes/no-scopes.fixture.js';
import { resolveServiceOptions, type BackgroundServiceOptions } from './background-service.options.js';
import { blockableClock } from './blockable-clock.fixture.js';
import type { TickWork } from './tick-execution.js';
import { TickRunner } from './tick-runner.js';
import type { Trigger } from './trigger.js';

/** A runner of `work`, every second unless told otherwise, with all that it began, skipped and reported. */
export function setup(
  { trigger, ...options }: BackgroundServiceOptions & { trigger?: Trigger } = {},
  work: TickWork = () => {},
) {
  const { manual, clock, holdUp } = blockableClock();
  const events = new BackgroundEvents(clock);
  const skipped: EventOf<'tick.skipped'>[] = [];
  events.on('tick.skipped', (event) => skipped.push(event));
  const isScheduled = options.every !== undefined || options.cron !== undefined;
  const { ticks } = resolveServiceOptions(isScheduled ? options : { every: '1s', ...options }, 'test', 'a');
  const begun: { at: number; count: number; missed: number }[] = [];
  const runner = new TickRunner({
    name: 'a',
    clock,
    events,
    scopes: new NoScopes(),
    options: { ...ticks, trigger: trigger ?? ticks.trigger! },
    work: (signal, tick) => {
      begun.push({ at: clock.monotonic(), count: tick.count, missed: tick.missed });
      return work(signal, tick);
    },
    random: () => 0.5,
  });
  const told: unknown[] = [];
  runner.attach({
    completed: () => told.push('completed'),
    faulted: (error, consequence) => told.push([error, consequence]),
    restarting: () => {},
    restarted: () => {},
  });
  const begin = () => {
    runner.start();
    runner.begin();
  };
  const stop = () => runner.stop(new AbortController().signal);
  const times = () => begun.map(({ at }) => at);
  const now = () => clock.now();
  return { clock: manual, now, holdUp, runner, begun, skipped, told, begin, stop, times };
}

/** Work that waits, each time it is called, until the test opens the gate of that call. */
export function gates() {
  const open: (() => void)[] = [];
  const work: TickWork = () => new Promise<void>((resolve) => open.push(resolve));
  return { open, work };
}

export const failing: TickWork = () => Promise.reject(new Error('no'));
