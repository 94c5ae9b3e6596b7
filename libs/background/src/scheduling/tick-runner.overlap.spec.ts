import { describe, expect, it, vi } from 'vitest';
import { gates, setup } from './tick-runner.fixture.js';

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

  it.each([
    ['parallel', 0],
    ['skip', 1],
  ] as const)(
    '%s has Node warn %d times when eleven ticks leave a listener to the stop',
    async (overlap, times) => {
      using warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
      const { clock, begun, begin, stop } = setup({ overlap }, (signal) =>
        signal.addEventListener('abort', () => {}),
      );
      begin();
      await clock.advance('11s');
      expect(begun).toHaveLength(11);
      expect(warn).toHaveBeenCalledTimes(times);
      await stop();
    },
  );

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

  it('misfire skip runs a tick that is a second late to the millisecond', async () => {
    const { clock, holdUp, begun, skipped, begin, stop } = setup({ every: '10s', misfire: 'skip' });
    begin();
    holdUp(1_000);
    await clock.advance('10s');
    expect(begun).toEqual([{ at: 11_000, count: 1, missed: 0 }]);
    expect(skipped).toEqual([]);
    await stop();
  });

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
