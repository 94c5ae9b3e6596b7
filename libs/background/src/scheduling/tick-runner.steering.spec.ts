import { describe, expect, it } from 'vitest';
import { failing, gates, setup } from './tick-runner.fixture.js';

describe('TickRunner.trigger', () => {
  it('runs a tick apart from the schedule and gives its record', async () => {
    const { clock, runner, begin, stop } = setup();
    begin();
    await clock.advance(300);
    const record = await runner.trigger();
    expect(record).toMatchObject({
      outcome: 'completed',
      scheduledAt: new Date('2026-01-01T00:00:00.300Z'),
      startedAt: new Date('2026-01-01T00:00:00.300Z'),
      endedAt: new Date('2026-01-01T00:00:00.300Z'),
    });
    expect(runner.lastTick).toBe(record);
    expect(runner.nextTickAt).toEqual(new Date('2026-01-01T00:00:01Z'));
    await stop();
  });

  it('does not reject when the tick fails', async () => {
    const { runner, begin, stop } = setup({}, failing);
    begin();
    expect(await runner.trigger()).toMatchObject({ outcome: 'failed', error: new Error('no') });
    await stop();
  });

  it('is skipped under skip, and waits its turn beside the due one under queue', async () => {
    const { open, work } = gates();
    const skip = setup({ overlap: 'skip' }, work);
    skip.begin();
    void skip.runner.trigger();
    expect(await skip.runner.trigger()).toMatchObject({ id: '', outcome: 'skipped' });
    open[0]!();
    await skip.stop();

    const queue = setup({ overlap: 'queue' }, work);
    queue.begin();
    const triggered = [queue.runner.trigger(), queue.runner.trigger()];
    await queue.clock.advance('1s');
    for (const index of [1, 2, 3]) {
      open[index]!();
      await queue.clock.advance(0);
    }
    expect(await Promise.all(triggered)).toMatchObject([{ outcome: 'completed' }, { outcome: 'completed' }]);
    expect(queue.begun).toHaveLength(3);
    await queue.stop();
  });
});

describe('TickRunner.pause', () => {
  it('lets due ticks pass until resumed, but not those asked for by hand', async () => {
    const { clock, runner, times, begin, stop } = setup();
    begin();
    runner.pause();
    await clock.advance('5s');
    expect(runner.nextTickAt).toBeUndefined();
    expect(await runner.trigger()).toMatchObject({ outcome: 'completed' });
    runner.resume();
    await clock.advance('1s');
    expect(times()).toEqual([5_000, 6_000]);
    await stop();
  });

  it('takes the due tick that waits, and leaves the ones asked for by hand', async () => {
    const { open, work } = gates();
    const { clock, runner, begun, skipped, begin, stop } = setup({ overlap: 'queue' }, work);
    begin();
    await clock.advance('2s');
    const triggered = runner.trigger();
    runner.pause();
    expect(skipped).toMatchObject([{ because: 'overlap' }]);
    for (const index of [0, 1]) {
      open[index]!();
      await clock.advance(0);
    }
    expect(await triggered).toMatchObject({ outcome: 'completed' });
    expect(begun).toHaveLength(2);
    await stop();
  });

  it('keeps back the tick that was to come first', async () => {
    const { clock, runner, begun, begin, stop } = setup({ runOnStart: true });
    begin();
    runner.pause();
    await clock.advance('5s');
    expect(begun).toEqual([]);
    await stop();
  });

  it('ends with the next start', async () => {
    const { clock, runner, begun, begin, stop } = setup();
    begin();
    runner.pause();
    await stop();
    begin();
    await clock.advance('1s');
    expect(begun).toHaveLength(1);
    await stop();
  });
});

describe('TickRunner.reschedule', () => {
  it('begins the new schedule at once', async () => {
    const { clock, runner, times, begin, stop } = setup();
    begin();
    await clock.advance(900);
    runner.reschedule({ every: '2s' });
    expect(runner.schedule).toBe('every 2s');
    await clock.advance('4s');
    expect(times()).toEqual([2_900, 4_900]);
    runner.reschedule({ cron: '* * * * *', timeZone: 'UTC' });
    expect(runner.schedule).toBe('cron * * * * * (UTC)');
    expect(runner.nextTickAt).toEqual(new Date('2026-01-01T00:01:00Z'));
    await stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes the place of an initial delay', async () => {
    const { clock, runner, times, begin, stop } = setup({ initialDelay: '1h' });
    begin();
    runner.reschedule({ every: '5s' });
    await clock.advance('5s');
    expect(times()).toEqual([5_000]);
    await stop();
  });

  it('arms nothing while paused or stopped, and holds from then on', async () => {
    const { clock, runner, times, begin, stop } = setup();
    runner.reschedule({ every: '2s' });
    expect(clock.pendingTimers).toBe(0);
    begin();
    runner.pause();
    runner.reschedule({ every: '3s' });
    expect(clock.pendingTimers).toBe(0);
    runner.resume();
    await clock.advance('3s');
    expect(times()).toEqual([3_000]);
    await stop();
    begin();
    expect(runner.nextTickAt).toEqual(new Date('2026-01-01T00:00:06Z'));
    await stop();
  });

  it.each([{}, { every: '1s', cron: '* * * * *' }, { every: 0 }, { cron: 'never' }, { timeZone: 'UTC' }])(
    'refuses %j and keeps the schedule',
    async (schedule) => {
      const { runner, begin, stop } = setup();
      begin();
      expect(() => runner.reschedule(schedule)).toThrow(/schedule got/);
      expect(runner.nextTickAt).toEqual(new Date('2026-01-01T00:00:01Z'));
      await stop();
    },
  );
});
