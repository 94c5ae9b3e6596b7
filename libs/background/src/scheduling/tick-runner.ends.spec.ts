import { describe, expect, it } from 'vitest';
import { DateTrigger } from './cron-trigger.js';
import { failing, gates, setup } from './tick-runner.fixture.js';
import { OnceTrigger } from './trigger.js';

describe('TickRunner when a tick fails', () => {
  it.each([
    ['continue', 3, []],
    ['stopService', 1, [[new Error('no'), 'ignore']]],
    ['stopHost', 1, [[new Error('no'), 'stopHost']]],
  ] as const)('onError %s', async (onError, ticks, told) => {
    const reports = setup({ onError }, failing);
    reports.begin();
    await reports.clock.advance('3s');
    expect(reports.begun).toHaveLength(ticks);
    expect(reports.told).toEqual(told);
    expect(reports.runner.lastError).toEqual(new Error('no'));
    await reports.stop();
    expect(reports.clock.pendingTimers).toBe(0);
  });

  it('stops the service when a tick times out and onError says so', async () => {
    const { clock, begun, told, begin, stop } = setup(
      { onError: 'stopService', timeout: 500 },
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    begin();
    await clock.advance('3s');
    expect(begun).toHaveLength(1);
    expect(told).toMatchObject([[{ code: 'TICK_TIMED_OUT' }, 'ignore']]);
    await stop();
  });

  it('goes on while ticks succeed when onError stops the service', async () => {
    const { clock, begun, told, begin, stop } = setup({ onError: 'stopService' });
    begin();
    await clock.advance('3s');
    expect(begun).toHaveLength(3);
    expect(told).toEqual([]);
    await stop();
  });

  it('keeps the last error when later ticks succeed', async () => {
    const errors = [new Error('once')];
    const { clock, runner, begin, stop } = setup({}, () => {
      const error = errors.pop();
      if (error) throw error;
    });
    begin();
    await clock.advance('2s');
    expect(runner.lastTick?.outcome).toBe('completed');
    expect(runner.lastError).toEqual(new Error('once'));
    await stop();
  });

  it('does not run the one that waits when the service is to stop', async () => {
    const fail: (() => void)[] = [];
    const work = () => new Promise<void>((_, reject) => fail.push(() => reject(new Error('no'))));
    const { clock, begun, skipped, begin, stop } = setup({ overlap: 'queue', onError: 'stopService' }, work);
    begin();
    await clock.advance('2s');
    fail[0]!();
    await clock.advance('5s');
    expect(begun).toHaveLength(1);
    expect(skipped).toHaveLength(1);
    await stop();
  });
});

describe('TickRunner when its schedule is over', () => {
  it('is complete once the last tick has ended', async () => {
    const { open, work } = gates();
    const { clock, runner, told, begin } = setup({ trigger: new OnceTrigger(500) }, work);
    begin();
    await clock.advance(500);
    expect(told).toEqual([]);
    open[0]!();
    await clock.advance(0);
    expect(told).toEqual(['completed']);
    runner.reschedule({ every: '1s' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('is complete when the last tick was skipped as too late', async () => {
    const { clock, holdUp, told, begin } = setup({ trigger: new OnceTrigger(500), misfire: 'skip' });
    begin();
    holdUp(5_000);
    await clock.advance(500);
    expect(told).toEqual(['completed']);
  });

  it.each([{}, { initialDelay: 500 }])(
    'is complete when its date is already past, with %j',
    async (options) => {
      const { clock, begun, told, begin } = setup({ trigger: new DateTrigger(0), ...options });
      begin();
      expect(told).toEqual([]);
      await clock.advance(500);
      expect(told).toEqual(['completed']);
      expect(begun).toEqual([]);
    },
  );

  it('is not complete when a tick that was asked for ends during the initial delay', async () => {
    const { runner, told, begin, stop } = setup({ initialDelay: '1h' });
    begin();
    await runner.trigger();
    expect(told).toEqual([]);
    await stop();
  });

  it('is complete when its date passes while it is paused', async () => {
    const { clock, runner, told, begin } = setup({
      trigger: new DateTrigger(Date.parse('2026-01-01T00:00:01Z')),
    });
    begin();
    runner.pause();
    await clock.advance('1m');
    runner.resume();
    expect(told).toEqual(['completed']);
  });
});

describe('TickRunner when a tick is left behind at the deadline', () => {
  it('tells whoever asked for it that it was cancelled, and what is queued behind it that it was skipped', async () => {
    const { open, work } = gates();
    const { runner, begin } = setup({ overlap: 'queue' }, work);
    begin();
    const running = runner.trigger();
    const queued = runner.trigger();
    await Promise.resolve(); // the first has begun
    await runner.stop(AbortSignal.abort());
    expect(await running).toMatchObject({ outcome: 'cancelled', id: expect.stringMatching(/./) });
    expect(await queued).toMatchObject({ outcome: 'skipped' });
    open[0]!();
  });
});
