import { describe, expect, it } from 'vitest';
import { DateTrigger } from './cron-trigger.js';
import { alone, exclusive, setup } from './processes.fixture.js';
import { gates } from './tick-runner.fixture.js';

const never = () => new Promise(() => {});
const at = (time: string) => Date.parse(`2026-01-01T${time}Z`);

describe('a service by the calendar, with a storage', () => {
  it('catches up with one tick, for the newest occurrence, when it starts after a downtime', async () => {
    const { clock, begin, ran } = setup();
    const before = begin('a', alone);
    await clock.advance('1m');
    await before.stop();
    await clock.advance('4m 30s');
    const after = begin('a', alone);
    expect(ran).toHaveLength(1); // begin() runs no code of the user
    await clock.advance('30s');
    expect(ran.slice(1)).toEqual([
      { due: '00:05:00', by: 'a', missed: 3 },
      { due: '00:06:00', by: 'a', missed: 0 },
    ]);
    await after.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([alone, exclusive])(
    'catches up with nothing when it starts for the first time ever',
    async (options) => {
      const { clock, begin, ran } = setup();
      await clock.advance('10m');
      const process = begin('a', options);
      await clock.advance('30s');
      expect([ran, process.storage.calls]).toEqual([[], ['latest']]);
      await process.stop();
    },
  );

  it('catches up with nothing when nothing was due meanwhile', async () => {
    const { clock, begin, dues } = setup();
    const before = begin('a', alone);
    await clock.advance('1m');
    await before.stop();
    const after = begin('a', alone);
    await clock.advance('59s');
    expect(dues()).toEqual(['00:01:00']);
    await after.stop();
  });

  it('catches up with nothing, and asks nothing, when misfire is skip', async () => {
    const { clock, begin, dues } = setup();
    const before = begin('a', alone);
    await clock.advance('1m');
    await before.stop();
    await clock.advance('5m');
    const after = begin('a', { ...alone, misfire: 'skip' });
    await clock.advance('30s');
    expect([dues(), after.storage.calls]).toEqual([['00:01:00'], []]);
    await after.stop();
  });

  it('runs the tick of its start, and no other, when it runs on start', async () => {
    const { clock, begin, dues } = setup();
    const before = begin('a', alone);
    await clock.advance('1m');
    await before.stop();
    await clock.advance('5m 30s');
    const after = begin('a', { ...alone, runOnStart: true });
    await clock.advance(0);
    expect([dues(), after.storage.calls]).toEqual([['00:01:00', '00:06:30'], []]);
    await after.stop();
  });

  it('catches up when its initial delay is over', async () => {
    const { clock, begin, ran } = setup();
    const before = begin('a', alone);
    await clock.advance('1m');
    await before.stop();
    await clock.advance('2m');
    const after = begin('a', { ...alone, initialDelay: '90s' });
    await clock.advance('89s');
    expect(ran).toHaveLength(1);
    await clock.advance('1s');
    expect(ran.at(-1)).toEqual({ due: '00:04:00', by: 'a', missed: 2 });
    await after.stop();
  });

  it('counts no further when very many occurrences were missed', async () => {
    const { clock, begin, ran } = setup();
    const everySecond = { cron: '* * * * * *', timeZone: 'UTC' };
    const before = begin('a', everySecond);
    await clock.advance('1s');
    await before.stop();
    clock.setTime('2027-01-01T00:00:00.500Z');
    const after = begin('a', everySecond);
    await clock.advance(0);
    expect(ran.at(-1)).toEqual({ due: '00:00:00', by: 'a', missed: 100 });
    await after.stop();
  });

  it('runs the last occurrence again when a crash cut it short', async () => {
    const { clock, begin, ran } = setup();
    const before = begin('a', alone);
    await clock.advance('1m');
    await before.stop();
    const crashing = begin('b', alone, never);
    await clock.advance('1m');
    crashing.kill();
    const after = begin('c', alone);
    await clock.advance('10s');
    expect(ran.slice(1)).toEqual([
      { due: '00:02:00', by: 'b', missed: 0 },
      { due: '00:02:00', by: 'c', missed: 0 },
    ]);
    await after.stop();
  });

  it('does not run again what it ran when the clock was set back', async () => {
    const { clock, begin, dues } = setup();
    const before = begin('a', alone);
    await clock.advance('5m');
    await before.stop();
    clock.setTime('2026-01-01T00:02:30Z');
    const after = begin('a', alone);
    await clock.advance('10s');
    expect(dues().filter((due) => due === '00:02:00')).toHaveLength(1);
    expect(dues()).toHaveLength(5);
    await after.stop();
  });

  it('begins a tick without waiting for its record, and runs it when the record fails', async () => {
    const { clock, begin, dues } = setup();
    const process = begin('a', alone);
    const answer = process.storage.hold('claim');
    await clock.advance('1m');
    expect(dues()).toEqual(['00:01:00']);
    answer();
    process.storage.fail('claim');
    await clock.advance('1m');
    expect([dues(), process.failures()]).toEqual([['00:01:00', '00:02:00'], ['claim 1000']]);
    await clock.advance('1s');
    expect(process.storage.calls.slice(-2)).toEqual(['claim 00:02:00', 'complete 00:02:00']);
    await process.stop();
  });

  it('runs in every process when it is not exclusive, and heeds no release', async () => {
    const { clock, begin, ran } = setup();
    const processes = [begin('a', alone), begin('b', alone)];
    await clock.advance('2m');
    expect(ran.map(({ due, by }) => `${due} ${by}`)).toEqual([
      '00:01:00 a',
      '00:01:00 b',
      '00:02:00 a',
      '00:02:00 b',
    ]);
    expect(processes.map(({ storage }) => storage.listeners.size)).toEqual([0, 0]);
    await Promise.all(processes.map(({ stop }) => stop()));
  });

  it('keeps nothing of a period of its own, until it is rescheduled to the calendar', async () => {
    const { clock, begin } = setup();
    const process = begin('a', { every: '10s' });
    await clock.advance('30s');
    expect(process.storage.calls).toEqual([]);
    process.runner.reschedule(alone);
    await clock.advance('30s');
    expect(process.storage.calls).toEqual(['claim 00:01:00', 'complete 00:01:00']);
    await process.stop();
  });
});

describe('looking back', () => {
  it('is tried again when the storage fails, and catches up then', async () => {
    const { clock, begin, ran } = setup();
    const before = begin('a', alone);
    await clock.advance('1m');
    await before.stop();
    await clock.advance('2m 30s');
    const after = begin(
      'a',
      alone,
      () => {},
      (storage) => storage.fail('latest', 2),
    );
    await clock.advance('3s');
    expect(after.failures()).toEqual(['latest 1000', 'latest 2000']);
    expect(ran.at(-1)).toEqual({ due: '00:03:00', by: 'a', missed: 1 });
    await after.stop();
  });

  it('is given up when the next occurrence is due', async () => {
    const { clock, begin, dues } = setup();
    const before = begin('a', alone);
    await clock.advance('1m');
    await before.stop();
    await clock.advance('2m 55s');
    const after = begin(
      'a',
      alone,
      () => {},
      (storage) => storage.fail('latest', 99),
    );
    await clock.advance('2m');
    expect(after.failures()).toHaveLength(3);
    expect(dues()).toEqual(['00:01:00', '00:04:00', '00:05:00']);
    await after.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(['pause', 'stop', 'reschedule'] as const)(
    'finds nothing any more when %s comes first',
    async (steer) => {
      const { clock, begin, dues } = setup();
      const before = begin('a', alone);
      await clock.advance('1m');
      await before.stop();
      await clock.advance('2m 30s');
      const gate: (() => void)[] = [];
      const after = begin(
        'a',
        alone,
        () => {},
        (storage) => gate.push(storage.hold('latest')),
      );
      await clock.advance(0);
      if (steer === 'stop')
        await after.stop(); // it does not wait for the answer
      else if (steer === 'pause') after.runner.pause();
      else after.runner.reschedule({ cron: '*/2 * * * *', timeZone: 'UTC' });
      gate[0]!();
      await clock.advance('10s');
      expect(dues()).toEqual(['00:01:00']);
      if (steer !== 'stop') await after.stop();
    },
  );

  it('does not run a tick twice when the answer comes after the next one', async () => {
    const { clock, begin, dues } = setup();
    const before = begin('a', alone);
    await clock.advance('1m');
    await before.stop();
    await clock.advance('2m 30s');
    const gate: (() => void)[] = [];
    const after = begin(
      'a',
      alone,
      () => {},
      (storage) => gate.push(storage.hold('latest')),
    );
    await clock.advance('30s');
    gate[0]!();
    await clock.advance(0);
    expect(dues()).toEqual(['00:01:00', '00:04:00']);
    await after.stop();
  });

  it('completes when it finds nothing and no further occurrence is due', async () => {
    const { clock, begin, dues } = setup();
    await clock.advance('5m');
    const process = begin('a', { trigger: new DateTrigger(at('00:04:00')) });
    await Promise.resolve();
    expect(process.told).toEqual([]);
    await clock.advance(0);
    expect([dues(), process.told]).toEqual([[], ['completed']]);
    await process.stop();
  });

  it('catches up with a date that has passed, and completes then', async () => {
    const { clock, begin, dues } = setup();
    const before = begin('a', { trigger: new DateTrigger(at('00:01:00')) });
    await clock.advance('1m');
    await before.stop();
    await clock.advance('5m');
    const after = begin('a', { trigger: new DateTrigger(at('00:04:00')) });
    await clock.advance(0);
    expect([dues(), after.told]).toEqual([['00:01:00', '00:04:00'], ['completed']]);
    await after.stop();
  });
});

describe('an exclusive service that looks back', () => {
  it('catches up in exactly one process when three start at once', async () => {
    const { clock, begin, ran } = setup();
    const before = begin('a');
    await clock.advance('1m');
    await before.stop();
    await clock.advance('9m 30s');
    const processes = [begin('a'), begin('b'), begin('c')];
    await clock.advance('10s');
    expect(ran.slice(1)).toEqual([{ due: '00:10:00', by: 'a', missed: 8 }]);
    expect(processes.flatMap(({ skips }) => skips())).toHaveLength(2);
    await Promise.all(processes.map(({ stop }) => stop()));
  });

  it('catches up by a period when it is aligned to the clock', async () => {
    const { clock, begin, ran } = setup();
    const options = { every: '2m', exclusive: true };
    const before = begin('a', options);
    await clock.advance('2m');
    await before.stop();
    await clock.advance('5m');
    const after = begin('a', options);
    await clock.advance(0);
    expect(ran.at(-1)).toEqual({ due: '00:06:00', by: 'a', missed: 1 });
    await after.stop();
  });

  it('finds what another lost before any was ever recorded, when it was there by then', async () => {
    const { clock, begin, ran } = setup();
    const date = { ...exclusive, trigger: new DateTrigger(at('00:01:00')) };
    const dying = begin('a', date, never);
    const other = begin('b', date);
    await clock.advance('2m');
    expect(other.told).toEqual([]); // it may have to take over
    dying.kill();
    await clock.advance(0);
    expect(ran).toMatchObject([{ by: 'a' }, { due: '00:01:00', by: 'b' }]);
    await other.stop();
  });

  it('heeds a release when its initial delay was cut short by a pause', async () => {
    const { clock, begin, ran } = setup();
    const dying = begin('a', exclusive, never);
    const other = begin('b', { ...exclusive, initialDelay: '1h' });
    await clock.advance('30s');
    other.runner.pause();
    other.runner.resume();
    await clock.advance('30s');
    dying.kill();
    await clock.advance(0);
    expect(ran).toMatchObject([
      { due: '00:01:00', by: 'a' },
      { due: '00:01:00', by: 'b' },
    ]);
    await other.stop();
  });

  it('has one look when releases come in a row', async () => {
    const { clock, begin, ran } = setup();
    const before = begin('before');
    await clock.advance('1m');
    await before.stop();
    const dying = [begin('a', exclusive, never), begin('b', exclusive, never)];
    await clock.advance('2m');
    const other = begin('c');
    await clock.advance(0);
    for (const process of dying) process.kill();
    await clock.advance(0);
    expect(ran.filter(({ by }) => by === 'c')).toEqual([{ due: '00:03:00', by: 'c', missed: 1 }]);
    await other.stop();
  });

  it('queues once what it has to wait with', async () => {
    const { clock, begin, ran } = setup();
    const { open, work } = gates();
    const busy = begin('a', { ...exclusive, overlap: 'queue' }, work);
    await clock.advance('1m');
    const dying = begin('b', exclusive, never);
    await clock.advance('1m');
    busy.runner.pause(); // the queued one is dropped
    busy.runner.resume();
    dying.kill();
    await clock.advance(0);
    for (const listener of busy.storage.listeners) listener();
    await clock.advance(0);
    open[0]!();
    await clock.advance(0);
    expect(ran.filter(({ by }) => by === 'a').map(({ due }) => due)).toEqual(['00:01:00', '00:02:00']);
    expect(busy.skips()).toEqual(['00:02:00 overlap']); // by the pause
    open[1]!();
    await busy.stop();
  });

  it('leaves alone what it is about to claim', async () => {
    const { clock, begin, dues } = setup();
    const process = begin('a');
    await clock.advance('1m');
    const tell = () => {
      for (const listener of process.storage.listeners) listener();
    };
    process.storage.fail('claim');
    await clock.advance('1m');
    tell(); // while it waits to claim 00:02 once more
    await clock.advance('10s');
    const answer = process.storage.hold('claim');
    process.storage.fail('claim');
    await clock.advance('2m');
    tell(); // while 00:04 waits for the answer to 00:03
    await clock.advance(0);
    answer();
    await clock.advance('10s');
    expect(dues()).toEqual(['00:01:00', '00:02:00', '00:04:00']);
    expect(process.skips()).toEqual(['00:03:00 storage']);
    await process.stop();
  });

  it('does not begin to when it is told to be quiet at once', async () => {
    const { clock, begin } = setup();
    const process = begin('a');
    process.runner.quiesce();
    await clock.advance(0);
    expect([process.storage.calls, process.storage.listeners.size]).toEqual([[], 0]);
    await process.stop();
  });
});
