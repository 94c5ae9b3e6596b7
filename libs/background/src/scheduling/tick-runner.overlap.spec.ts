import type { Clock } from 'nestjs-nightshift/channels';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import { BackgroundEvents } from '../events/background-events.js';
import type { EventOf } from '../events/events.js';
import { ServiceScopeFactory, type ServiceScope } from '../scopes/scope.js';
import { resolveServiceOptions, type BackgroundServiceOptions } from './background-service.options.js';
import type { TickWork } from './tick-execution.js';
import { TickRunner } from './tick-runner.js';
import type { Trigger } from './trigger.js';

class NoScopes extends ServiceScopeFactory {
  createScope(): ServiceScope {
    throw new Error('not used');
  }
}

function setup(
  { trigger, ...options }: BackgroundServiceOptions & { trigger?: Trigger } = {},
  work: TickWork = () => {},
) {
  const clock = new ManualClock();
  const held = { ms: 0 };
  const heldClock: Clock = {
    now: () => clock.now() + held.ms,
    monotonic: () => clock.monotonic() + held.ms,
    schedule: (delayMs, callback) => clock.schedule(delayMs, callback),
  };
  /** Lets time pass without running timers, as a blocked event loop does. */
  const holdUp = (ms: number) => (held.ms += ms);
  const events = new BackgroundEvents(heldClock);
  const skipped: EventOf<'tick.skipped'>[] = [];
  events.on('tick.skipped', (event) => skipped.push(event));
  const isScheduled = options.every !== undefined || options.cron !== undefined;
  const { ticks } = resolveServiceOptions(isScheduled ? options : { every: '1s', ...options }, 'test', 'a');
  const begun: { at: number; count: number; missed: number }[] = [];
  const runner = new TickRunner({
    name: 'a',
    clock: heldClock,
    events,
    scopes: new NoScopes(),
    options: { ...ticks, trigger: trigger ?? ticks.trigger! },
    work: (signal, tick) => {
      begun.push({ at: heldClock.monotonic(), count: tick.count, missed: tick.missed });
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
  return { clock, holdUp, runner, begun, skipped, told, begin, stop, times: () => begun.map(({ at }) => at) };
}

function gates() {
  const open: (() => void)[] = [];
  const work: TickWork = () => new Promise<void>((resolve) => open.push(resolve));
  return { open, work };
}

describe('TickRunner when ticks overlap', () => {
  it('skip passes over what is due while one runs, and counts it as missed', async () => {
    const { open, work } = gates();
    const { clock, begun, skipped, begin, stop } = setup({ overlap: 'skip' }, work);
    begin();
    await clock.advance('3s');
    open[0]!();
    await clock.advance('1s');
    expect(begun).toEqual([
      { at: 1_000, count: 1, missed: 0 },
      { at: 4_000, count: 2, missed: 2 },
    ]);
    expect(skipped).toMatchObject([{ because: 'overlap' }, { because: 'overlap' }]);
    open[1]!();
    await stop();
  });

  it('queue runs one right after, however many were due', async () => {
    const { open, work } = gates();
    const { clock, begun, skipped, begin, stop } = setup({ overlap: 'queue' }, work);
    begin();
    await clock.advance(4_500);
    open[0]!();
    await clock.advance(0);
    expect(begun).toEqual([
      { at: 1_000, count: 1, missed: 0 },
      { at: 4_500, count: 2, missed: 2 },
    ]);
    expect(skipped).toHaveLength(2);
    open[1]!();
    await stop();
  });

  it('parallel runs them at the same time', async () => {
    const { open, work } = gates();
    const { clock, runner, skipped, begin, stop } = setup({ overlap: 'parallel' }, work);
    begin();
    await clock.advance('3s');
    expect(runner.running).toBe(3);
    expect(skipped).toEqual([]);
    for (const end of open) end();
    await stop();
  });

  it('a tick that asks for another while it begins does not overlap itself', async () => {
    const outcomes: string[] = [];
    const { clock, runner, begun, begin, stop } = setup({}, () => {
      void runner.trigger().then(({ outcome }) => outcomes.push(outcome));
    });
    begin();
    await clock.advance('1s');
    expect(begun).toHaveLength(1);
    expect(outcomes).toEqual(['skipped']);
    await stop();
  });

  it('stop waits for a tick that asks for the stop while it begins', async () => {
    const { open, work } = gates();
    const ended: string[] = [];
    const { clock, begin, stop } = setup({}, (signal, tick) => {
      void stop().then(() => ended.push('stop'));
      return Promise.resolve(work(signal, tick)).then(() => void ended.push('tick'));
    });
    begin();
    await clock.advance('1s');
    open[0]!();
    await clock.advance(0);
    expect(ended).toEqual(['tick', 'stop']);
  });
});

describe('TickRunner when it is held up', () => {
  it.each([
    ['fireOnce', [{ at: 3_500, count: 1, missed: 2 }], []],
    ['skip', [{ at: 3_500, count: 1, missed: 2 }], []],
  ] as const)(
    'misfire %s runs the last due tick when that is no more than a second late',
    async (misfire, ran, passed) => {
      const { clock, holdUp, begun, skipped, begin, stop } = setup({ every: 1_000, misfire });
      begin();
      holdUp(2_500);
      await clock.advance('1s');
      expect(begun).toEqual(ran);
      expect(skipped).toEqual(passed);
      await stop();
    },
  );

  it('misfire fireOnce runs one late tick that counts the others as missed', async () => {
    const { clock, holdUp, begun, begin, stop } = setup({ every: '10s', misfire: 'fireOnce' });
    begin();
    holdUp(25_000);
    await clock.advance('10s');
    expect(begun).toEqual([{ at: 35_000, count: 1, missed: 2 }]);
    await stop();
  });

  it('misfire skip passes over the late tick and counts it as missed by the next', async () => {
    const { clock, holdUp, begun, skipped, begin, stop } = setup({ every: '10s', misfire: 'skip' });
    begin();
    holdUp(25_000);
    await clock.advance('10s');
    expect(begun).toEqual([]);
    expect(skipped).toMatchObject([{ because: 'misfire', scheduledAt: new Date('2026-01-01T00:00:30Z') }]);
    await clock.advance('5s');
    expect(begun).toEqual([{ at: 40_000, count: 1, missed: 3 }]);
    await stop();
  });
});
