import { describe, expect, it } from 'vitest';
import { isSettled } from '../gate.fixture.js';
import { DateTrigger } from './cron-trigger.js';
import { exclusive, setup } from './processes.fixture.js';
import { gates } from './tick-runner.fixture.js';

describe('an exclusive service', () => {
  it('runs each occurrence once when three processes share the storage', async () => {
    const { clock, begin, dues, shared } = setup();
    const processes = [begin('a'), begin('b'), begin('c')];
    await clock.advance('5m');
    expect(dues()).toEqual(['00:01:00', '00:02:00', '00:03:00', '00:04:00', '00:05:00']);
    expect(processes.flatMap(({ skips }) => skips())).toHaveLength(10);
    expect(processes[1]!.skips()).toContain('00:01:00 exclusive');
    await Promise.all(processes.map(({ stop }) => stop()));
    expect([shared.unfinished, clock.pendingTimers]).toEqual([0, 0]);
    expect(shared.processes.every(({ listeners }) => listeners.size === 0)).toBe(true);
  });

  it('comes to the same times by a period when its processes begin at different moments', async () => {
    const { clock, begin, dues } = setup();
    const options = { every: '1m', exclusive: true };
    const first = begin('a', options);
    await clock.advance('25s');
    const second = begin('b', options);
    expect(second.runner.schedule).toBe('every 1m, aligned to the clock');
    expect(second.runner.nextTickAt).toEqual(first.runner.nextTickAt);
    await clock.advance('2m');
    expect(dues()).toEqual(['00:01:00', '00:02:00']);
    await Promise.all([first.stop(), second.stop()]);
  });

  it('is completed whatever came of the tick when it ends', async () => {
    const { clock, begin, shared } = setup();
    const process = begin('a', exclusive, () => Promise.reject(new Error('no')));
    await clock.advance('1m');
    expect(process.storage.calls).toEqual(['latest', 'claim 00:01:00', 'complete 00:01:00']);
    expect(shared.unfinished).toBe(0);
    await process.stop();
  });

  it('does not count as missed what another process ran when it runs the next one', async () => {
    const { clock, begin, ran } = setup();
    const first = begin('a');
    const second = begin('b');
    await clock.advance('2m');
    await first.stop();
    await clock.advance('1m');
    expect(ran.at(-1)).toEqual({ due: '00:03:00', by: 'b', missed: 0 });
    await second.stop();
  });

  it('runs the occurrence of a process that died in the middle when the storage says so', async () => {
    const { clock, begin, ran, shared } = setup();
    const dying = begin('a', exclusive, () => new Promise(() => {}));
    const other = begin('b');
    await clock.advance('1m');
    await clock.advance('10s');
    dying.kill();
    await clock.advance(0);
    expect(ran).toEqual([
      { due: '00:01:00', by: 'a', missed: 0 },
      { due: '00:01:00', by: 'b', missed: 0 },
    ]);
    await other.stop();
    expect(shared.unfinished).toBe(0);
  });

  it('leaves it to the next occurrence when a process died in the middle and misfire is skip', async () => {
    const { clock, begin, dues } = setup();
    const options = { ...exclusive, misfire: 'skip' as const };
    const dying = begin('a', options, () => new Promise(() => {}));
    const other = begin('b', options);
    await clock.advance('1m');
    dying.kill();
    await clock.advance('1m');
    expect(dues()).toEqual(['00:01:00', '00:02:00']);
    expect(other.storage.listeners.size).toBe(0);
    await other.stop();
  });

  it('runs at once and claims nothing when it is triggered by hand', async () => {
    const { clock, begin, ran } = setup();
    const process = begin('a');
    await clock.advance('30s');
    expect(await process.runner.trigger()).toMatchObject({ outcome: 'completed' });
    expect(process.storage.calls).toEqual(['latest']);
    await clock.advance('30s');
    expect(ran.map(({ due }) => due)).toEqual(['00:00:30', '00:01:00']);
    await process.stop();
  });

  it('does not run an occurrence again when the clock is set back', async () => {
    const { clock, begin, dues } = setup();
    const process = begin('a');
    await clock.advance('2m');
    clock.setTime('2025-12-31T12:00:30Z');
    await clock.advance('2m');
    expect(dues()).toEqual(['00:01:00', '00:02:00']);
    expect(process.skips()).toEqual(['12:02:00 exclusive']);
    await process.stop();
  });

  it('leaves what it is too busy for to an idle process, and claims nothing', async () => {
    const { clock, begin, ran } = setup();
    const { open, work } = gates();
    const busy = begin('a', exclusive, work);
    await clock.advance('1m');
    const idle = begin('b');
    await clock.advance('1m');
    expect(ran.at(-1)).toMatchObject({ due: '00:02:00', by: 'b' });
    expect(busy.skips()).toEqual(['00:02:00 overlap']);
    expect(busy.storage.calls).not.toContain('claim 00:02:00');
    open[0]!();
    await Promise.all([busy.stop(), idle.stop()]);
  });

  it('claims a queued occurrence when its turn has come, and leaves it when another has run it', async () => {
    const { clock, begin, dues } = setup();
    const { open, work } = gates();
    const busy = begin('a', { ...exclusive, overlap: 'queue' }, work);
    await clock.advance('2m');
    const idle = begin('b', exclusive);
    await clock.advance(0);
    expect(dues()).toEqual(['00:01:00', '00:02:00']); // caught up by the idle one
    open[0]!();
    await clock.advance(0);
    expect(busy.skips()).toEqual(['00:02:00 exclusive']);
    await Promise.all([busy.stop(), idle.stop()]);
  });

  it('runs them side by side, each claimed, when overlap is parallel', async () => {
    const { clock, begin, dues, shared } = setup();
    const { open, work } = gates();
    const process = begin('a', { ...exclusive, overlap: 'parallel' }, work);
    const answer = process.storage.hold('claim');
    await clock.advance('2m');
    expect(dues()).toEqual(['00:02:00']);
    answer();
    await clock.advance(0);
    expect(dues()).toEqual(['00:02:00', '00:01:00']);
    for (const end of open) end();
    await process.stop();
    expect(shared.unfinished).toBe(0);
  });
});

describe('an exclusive service whose claim is under way', () => {
  it('gives it back, is waited for, and lets another process run it when it is stopped', async () => {
    const { clock, begin, ran } = setup();
    const stopping = begin('a');
    const other = begin('b');
    const answer = stopping.storage.hold('claim');
    await clock.advance('1m');
    expect(stopping.runner.inFlight()).toEqual(['claim of the tick due at 2026-01-01T00:01:00.000Z']);
    const stop = stopping.stop();
    expect(await isSettled(stop, clock)).toBe(false);
    expect(ran).toEqual([]);
    answer();
    await stop;
    await clock.advance(0);
    expect(stopping.storage.calls.at(-1)).toBe('release 00:01:00');
    expect(stopping.released()).toEqual(['00:01:00']);
    expect(ran).toEqual([{ due: '00:01:00', by: 'b', missed: 0 }]);
    await other.stop();
  });

  it('is named, and waited for no longer, when the deadline of the stop passes', async () => {
    const { clock, begin, ran } = setup();
    const process = begin('a');
    const answer = process.storage.hold('claim');
    await clock.advance('1m');
    await process.stop(AbortSignal.abort());
    expect(process.runner.inFlight()).toEqual(['claim of the tick due at 2026-01-01T00:01:00.000Z']);
    answer();
    await clock.advance(0);
    expect(process.runner.inFlight()).toEqual([]);
    expect([ran, process.released(), process.told]).toEqual([[], ['00:01:00'], ['completed']]);
  });

  it('gives it back when it is won after a stop and another start', async () => {
    const { clock, begin, ran } = setup();
    const process = begin('a');
    const answer = process.storage.hold('claim');
    await clock.advance('1m');
    await process.stop(AbortSignal.abort());
    process.restart();
    answer();
    await clock.advance(0);
    expect([ran, process.released()]).toEqual([[], ['00:01:00']]);
    await clock.advance('1m');
    expect(ran).toMatchObject([{ due: '00:02:00' }]);
    await process.stop();
  });

  it('gives it back when it is paused, and does not run it when it is resumed', async () => {
    const { clock, begin, ran } = setup();
    const process = begin('a');
    const answer = process.storage.hold('claim');
    await clock.advance('1m');
    process.runner.pause();
    answer();
    await clock.advance('10s');
    expect(process.released()).toEqual(['00:01:00']);
    process.runner.resume();
    await clock.advance('50s');
    expect(ran).toEqual([{ due: '00:02:00', by: 'a', missed: 1 }]);
    await process.stop();
  });

  it('runs it when it is paused and resumed before the answer', async () => {
    const { clock, begin, dues } = setup();
    const process = begin('a');
    const answer = process.storage.hold('claim');
    await clock.advance('1m');
    process.runner.pause();
    process.runner.resume();
    answer();
    await clock.advance(0);
    expect(dues()).toEqual(['00:01:00']);
    await process.stop();
  });

  it('runs it when it is rescheduled, and goes on by the new schedule', async () => {
    const { clock, begin, dues } = setup();
    const process = begin('a');
    const answer = process.storage.hold('claim');
    await clock.advance('1m');
    process.runner.reschedule({ every: '90s' });
    expect(process.runner.schedule).toBe('every 1m 30s, aligned to the clock');
    answer();
    await clock.advance('2m');
    expect(dues()).toEqual(['00:01:00', '00:01:30', '00:03:00']);
    await process.stop();
  });

  it('runs a tick that is asked for by hand, then gives the claimed one back under skip', async () => {
    const { clock, begin, ran } = setup();
    const { open, work } = gates();
    const process = begin('a', exclusive, work);
    const answer = process.storage.hold('claim');
    await clock.advance('1m');
    const triggered = process.runner.trigger();
    await clock.advance(0);
    expect(ran).toHaveLength(1);
    answer();
    await clock.advance(0);
    expect(process.released()).toEqual(['00:01:00']);
    for (const listener of process.storage.listeners) listener(); // its own release is no news to it
    await clock.advance(0);
    open[0]!();
    expect(await triggered).toMatchObject({ outcome: 'completed' });
    expect([ran.length, process.skips()]).toEqual([1, []]);
    await process.stop();
  });

  it('runs a tick that is asked for by hand, then the claimed one under queue', async () => {
    const { clock, begin, ran, shared } = setup();
    const { open, work } = gates();
    const process = begin('a', { ...exclusive, overlap: 'queue' }, work);
    const answer = process.storage.hold('claim');
    await clock.advance('1m');
    void process.runner.trigger();
    answer();
    await clock.advance(0);
    expect(ran).toHaveLength(1);
    open[0]!();
    await clock.advance(0);
    expect(ran).toHaveLength(2);
    open[1]!();
    await process.stop();
    expect(shared.unfinished).toBe(0);
  });

  it.each(['pause', 'quiesce'] as const)('gives a claimed one that is queued back on %s', async (steer) => {
    const { clock, begin, ran } = setup();
    const { open, work } = gates();
    const process = begin('a', { ...exclusive, overlap: 'queue' }, work);
    const answer = process.storage.hold('claim');
    await clock.advance('1m');
    void process.runner.trigger();
    answer();
    await clock.advance(0);
    process.runner[steer]();
    await clock.advance(0);
    expect(process.released()).toEqual(['00:01:00']);
    open[0]!();
    await process.stop();
    expect(ran).toHaveLength(1);
  });

  it('does not keep a tick waiting that was asked for by hand, when a queued one is claimed', async () => {
    const { clock, begin, ran } = setup();
    const { open, work } = gates();
    const process = begin('a', { ...exclusive, overlap: 'queue' }, work);
    await clock.advance('2m');
    void process.runner.trigger();
    const answer = process.storage.hold('claim');
    open[0]!();
    await clock.advance(0);
    expect(ran).toHaveLength(2);
    answer();
    open[1]!();
    await clock.advance(0);
    expect(ran).toHaveLength(3);
    open[2]!();
    await process.stop();
  });

  it('claims the newest of those that came due meanwhile when the answer is no', async () => {
    const { clock, begin, dues, shared } = setup();
    const process = begin('a');
    shared.claim({ service: 'a', dueAtMs: clock.now() + 60_000 }, shared.process());
    const answer = process.storage.hold('claim');
    await clock.advance('3m');
    answer();
    await clock.advance(0);
    expect(dues()).toEqual(['00:03:00']);
    expect(process.skips()).toEqual(['00:02:00 overlap', '00:01:00 exclusive']);
    await process.stop();
  });

  it('passes over what came due meanwhile, unclaimed, when the answer is yes and the tick takes long', async () => {
    const { clock, begin, dues } = setup();
    const { open, work } = gates();
    const process = begin('a', exclusive, work);
    const answer = process.storage.hold('claim');
    await clock.advance('2m');
    answer();
    await clock.advance(0);
    expect(dues()).toEqual(['00:01:00']);
    expect(process.skips()).toEqual(['00:02:00 overlap']);
    expect(process.storage.calls).not.toContain('claim 00:02:00');
    open[0]!();
    await process.stop();
  });

  it('does not complete before the answer when no further occurrence is due', async () => {
    const { clock, begin, dues } = setup();
    const trigger = new DateTrigger(clock.now() + 60_000);
    const process = begin('a', { ...exclusive, misfire: 'skip', trigger });
    const answer = process.storage.hold('claim');
    await clock.advance('1m');
    expect(process.told).toEqual([]);
    answer();
    await clock.advance(0);
    expect([dues(), process.told]).toEqual([['00:01:00'], ['completed']]);
    await process.stop();
  });

  it.each(['pause', 'quiesce'] as const)('lets go of what waits for the answer on %s', async (steer) => {
    const { clock, begin } = setup();
    const process = begin('a');
    const answer = process.storage.hold('claim');
    await clock.advance('2m');
    process.runner[steer]();
    expect(process.skips()).toEqual(['00:02:00 overlap']);
    answer();
    await process.stop();
  });
});

describe('an exclusive service whose storage fails', () => {
  it('asks for the same occurrence again, with pauses that grow, and runs it once', async () => {
    const { clock, begin, ran } = setup();
    const process = begin('a');
    process.storage.fail('claim', 3);
    await clock.advance('1m');
    expect(ran).toEqual([]);
    await clock.advance('7s');
    expect(process.failures()).toEqual(['claim 1000', 'claim 2000', 'claim 4000']);
    expect(ran).toEqual([{ due: '00:01:00', by: 'a', missed: 0 }]);
    await process.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives the occurrence up, and counts it as missed, when the next one is due', async () => {
    const { clock, begin, ran } = setup();
    const process = begin('a');
    process.storage.fail('claim', 6);
    await clock.advance('2m');
    expect(process.failures()).toEqual([1, 2, 4, 8, 16, 30].map((seconds) => `claim ${seconds * 1_000}`));
    expect(process.skips()).toEqual(['00:01:00 storage']);
    expect(ran).toEqual([{ due: '00:02:00', by: 'a', missed: 1 }]);
    await process.stop();
  });

  it.each(['pause', 'stop'] as const)('asks no more when %s comes in between', async (steer) => {
    const { clock, begin, ran } = setup();
    const process = begin('a');
    process.storage.fail('claim', 1);
    await clock.advance('1m');
    if (steer === 'stop') await process.stop();
    else process.runner.pause();
    await clock.advance('5s');
    expect(process.skips()).toEqual(['00:01:00 storage']);
    expect([ran, clock.pendingTimers]).toEqual([[], 0]);
    if (steer === 'pause') await process.stop();
  });

  it('asks no more when it fails after the stop', async () => {
    const { clock, begin } = setup();
    const process = begin('a');
    const answer = process.storage.hold('claim');
    process.storage.fail('claim');
    await clock.advance('1m');
    const stop = process.stop();
    answer();
    await stop;
    expect(process.failures()).toEqual(['claim undefined']);
    expect(process.skips()).toEqual(['00:01:00 storage']);
  });

  it('runs the occurrence when it was claimed and the answer got lost', async () => {
    const { clock, begin, dues } = setup();
    const process = begin('a');
    process.storage.lose('claim');
    await clock.advance('61s');
    expect(dues()).toEqual(['00:01:00']);
    await process.stop();
  });

  it('goes on completing until it succeeds', async () => {
    const { clock, begin, shared } = setup();
    const process = begin('a');
    process.storage.fail('complete', 2);
    await clock.advance('1m');
    expect(shared.unfinished).toBe(1);
    await clock.advance('3s');
    expect([shared.unfinished, process.failures()]).toEqual([0, ['complete 1000', 'complete 2000']]);
    await process.stop();
  });

  it('waits at the stop for the completion of a tick, and tries it once', async () => {
    const { clock, begin } = setup();
    const { open, work } = gates();
    const process = begin('a', exclusive, work);
    const answer = process.storage.hold('complete');
    await clock.advance('1m');
    const stop = process.stop();
    open[0]!();
    expect(await isSettled(stop, clock)).toBe(false);
    expect(process.runner.inFlight()).toEqual(['completion of the tick due at 2026-01-01T00:01:00.000Z']);
    answer();
    await stop;

    const failing = begin('b', exclusive, work, (storage) => storage.fail('complete', 9));
    await clock.advance('1m');
    const stopFailing = failing.stop();
    open[1]!();
    await stopFailing;
    expect(failing.failures()).toEqual(['complete undefined']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not crash when the release fails', async () => {
    const { clock, begin } = setup();
    const process = begin('a');
    const answer = process.storage.hold('claim');
    process.storage.fail('release');
    await clock.advance('1m');
    const stop = process.stop();
    answer();
    await stop;
    expect(process.failures()).toEqual(['release undefined']);
  });

  it('leaves a tick to others when the stop comes in the moment before it begins', async () => {
    const { clock, begin, ran, shared } = setup();
    const process = begin('a');
    const run = shared.claim.bind(shared);
    shared.claim = (...args) => {
      // As many turns of promises later as it takes to be told of the claim.
      void Promise.resolve().then(waitUntilRunning);
      return run(...args);
    };
    async function waitUntilRunning(): Promise<void> {
      while (process.runner.running === 0) await undefined;
      void process.stop();
    }
    await clock.advance('1m');
    expect([ran, process.released(), shared.unfinished]).toEqual([[], ['00:01:00'], 0]);
  });
});
