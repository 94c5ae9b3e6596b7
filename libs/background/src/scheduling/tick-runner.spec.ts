import { describe, expect, it } from 'vitest';
import { failing, gates, setup } from './tick-runner.fixture.js';

describe('TickRunner', () => {
  it('ticks at its period, first after one', async () => {
    const { clock, begun, begin, stop, runner } = setup();
    begin();
    expect(runner.nextTickAt).toEqual(new Date('2026-01-01T00:00:01Z'));
    await clock.advance('3s');
    expect(begun).toEqual([
      { at: 1_000, count: 1, missed: 0 },
      { at: 2_000, count: 2, missed: 0 },
      { at: 3_000, count: 3, missed: 0 },
    ]);
    await stop();
    expect([clock.pendingTimers, runner.nextTickAt, runner.running]).toEqual([0, undefined, 0]);
  });

  it('does not drift over 10,000 ticks', async () => {
    const { clock, times, begin, stop } = setup({ every: 7 });
    begin();
    await clock.advance(70_000);
    expect(times()).toHaveLength(10_000);
    expect(times().at(-1)).toBe(70_000);
    await stop();
  });

  it('ticks by the calendar', async () => {
    const { clock, times, begin, stop } = setup({ cron: '*/30 * * * *', timeZone: 'UTC' });
    begin();
    await clock.advance('1h');
    expect(times()).toEqual([1_800_000, 3_600_000]);
    await stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    [{ runOnStart: true }, [0, 1_000, 2_000]],
    [{ initialDelay: 500 }, [500, 1_500]],
    [{ initialDelay: 500, runOnStart: true }, [500, 1_500]],
    [{ initialDelay: 0 }, [0, 1_000, 2_000]],
    [{ jitter: 400 }, [1_200]],
  ])('ticks by a period with %j at %j', async (options, expected) => {
    const { clock, times, begin, stop } = setup(options);
    begin();
    await clock.advance(2_000);
    expect(times()).toEqual(expected);
    await stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    [{ runOnStart: true }, [0, 60_000, 120_000]],
    [{ initialDelay: '90s' }, [120_000]],
    [{ initialDelay: '90s', runOnStart: true }, [90_000, 120_000]],
  ])('ticks by the calendar with %j at %j', async (options, expected) => {
    const { clock, times, begin, stop, runner } = setup({ cron: '* * * * *', timeZone: 'UTC', ...options });
    begin();
    expect(runner.nextTickAt?.getTime()).toBe(clock.now() + (expected.find((time) => time > 0) ?? 0));
    await clock.advance('2m');
    expect(times()).toEqual(expected);
    await stop();
  });

  it('begin runs no code of the user before it returns', async () => {
    const { clock, runner, begun, begin, stop } = setup({ runOnStart: true });
    begin();
    expect(begun).toEqual([]);
    await clock.advance(0);
    expect(begun).toHaveLength(1);
    expect(runner.lastTick?.scheduledAt).toEqual(new Date('2026-01-01T00:00:00Z'));
    await stop();
  });

  it('B34 starts no tick once it is quiesced, not even one that waited', async () => {
    const { open, work } = gates();
    const { clock, runner, begun, skipped, begin, stop } = setup({ overlap: 'queue' }, work);
    begin();
    await clock.advance('2s');
    const triggered = runner.trigger();
    runner.quiesce();
    open[0]!();
    await clock.advance('5s');
    expect(begun).toHaveLength(1);
    expect(skipped.map(({ because }) => because)).toEqual(['overlap', 'overlap']);
    expect(await triggered).toMatchObject({ outcome: 'skipped' });
    runner.resume();
    expect(clock.pendingTimers).toBe(0);
    await stop();
  });

  it('a tick that is to come first does not when the service is quiesced before', async () => {
    const { clock, runner, begun, begin } = setup({ runOnStart: true });
    begin();
    runner.quiesce();
    await clock.advance('5s');
    expect(begun).toEqual([]);
  });

  it('stop aborts the running tick and waits for its end', async () => {
    const outcomes: unknown[] = [];
    const { clock, runner, begin, stop, told } = setup({}, async (signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      outcomes.push(signal.reason);
    });
    begin();
    await clock.advance('1s');
    expect(runner.inFlight()).toEqual([expect.stringMatching(/^tick 1 \([\da-f-]{36}\)$/)]);
    await stop();
    expect(outcomes).toMatchObject([{ code: 'STOPPING', message: "Service 'a' is stopping." }]);
    expect(runner.inFlight()).toEqual([]);
    expect(told).toEqual(['completed']);
  });

  it('stop gives up on a tick that ignores it, names it, and tells when it ends after all', async () => {
    const { open, work } = gates();
    const { clock, runner, begin, told } = setup({}, work);
    begin();
    await clock.advance('1s');
    await runner.stop(AbortSignal.abort());
    expect(runner.inFlight()).toHaveLength(1);
    open[0]!();
    await clock.advance(0);
    expect(runner.inFlight()).toEqual([]);
    expect(told).toEqual(['completed']);
  });

  it.each(['starting', 'started', 'stopping', 'stopped'] as const)(
    'does nothing in %s when the class has no hooks that are called once',
    async (hook) => {
      const { runner, clock, begun } = setup();
      await expect(runner[hook](new AbortController().signal)).resolves.toBeUndefined();
      expect([begun, clock.pendingTimers]).toEqual([[], 0]);
    },
  );

  it('counts anew when it is started again', async () => {
    const { clock, runner, begun, begin, stop } = setup({}, failing);
    begin();
    await clock.advance('2s');
    await stop();
    expect(runner.lastError).toEqual(new Error('no'));
    begin();
    expect(runner.lastError).toBeUndefined();
    await clock.advance('1s');
    expect(begun.map(({ count }) => count)).toEqual([1, 2, 1]);
    await stop();
  });
});
