import { describe, expect, it } from 'vitest';
import { replaceBetween } from '../../bench/scale/between-markers.js';
import { kindOf } from '../../bench/scale/counting-pg.js';
import { share } from '../../bench/scale/crew.js';
import { parseStat } from '../../bench/scale/process-cpu.js';
import { toFields } from '../../bench/scale/redis-store.js';
import type { Simulated } from '../../bench/scale/simulation.js';
import type { Stretch } from '../../bench/scale/stretch.js';
import { toTables } from '../../bench/scale/table.js';
import { addTallies, callsOf, tallyBetween } from '../../bench/scale/tally.js';

const stretch: Stretch = {
  seconds: 2,
  tasks: 400,
  tally: { calls: { work: 100, look: 20 }, emptyClaims: 40, clashes: 3 },
  wait: { median: 12.34, p99: 45 },
  serverCpuMs: 500,
  workersCpuMs: 800,
  workersLateMs: 12,
  machineBusy: 0.5,
  serverCommands: undefined,
  connections: 6,
  deadlocks: 1,
  waitingForLocks: 0.25,
};

function simulated(workers: number, tasks: number, hasRunDry = false): Simulated {
  return {
    workers,
    hasRunDry,
    backlog: { ...stretch, tasks },
    trickle: stretch,
    idle: { ...stretch, tasks: 0 },
  };
}

describe('the tables of a simulation', () => {
  it('compare with as many times one worker', () => {
    const text = toTables('PostgreSQL', 'Usual settings.', [simulated(1, 400), simulated(4, 1_200)]);

    expect(text).toContain('| 1 | 200 | 100 % | 0.3 |');
    expect(text).toContain('| 4 | 600 | 75 % | 0.1 |');
    expect(text).toContain('| 12 ms | 50 % |');
  });

  it('leave out what is not known', () => {
    const text = toTables('SQLite', 'One file.', [simulated(1, 400)]);

    expect(text).not.toContain('commands');
    expect(text).toContain('deadlocks, retried');
  });

  it('say when there was too little to do', () => {
    expect(toTables('BullMQ', '', [simulated(8, 400, true)])).toContain('The 8 workers did all there was');
  });
});

describe('what workers ask', () => {
  it('is added up, and what came since an earlier reading is told', () => {
    const before = { calls: { work: 1, look: 2 }, emptyClaims: 1, clashes: 0 };
    const after = addTallies([before, { calls: { work: 3 }, emptyClaims: 0, clashes: 1 }]);

    expect(after).toEqual({ calls: { work: 4, look: 2 }, emptyClaims: 1, clashes: 1 });
    expect(tallyBetween(before, after)).toEqual({ calls: { work: 3 }, emptyClaims: 0, clashes: 1 });
    expect(callsOf(after)).toBe(6);
  });

  it.each([
    ['SELECT "nightshift".work($1::text::json) AS answer', 'work'],
    ['SELECT pg_notify($1, $2)', 'notify'],
    ['SELECT state, sum(tasks) AS tasks FROM "nightshift".counts WHERE queue = $1', 'select counts'],
    ['\n      UPDATE "nightshift".tasks SET held = NULL', 'update tasks'],
    ['BEGIN', 'begin'],
  ])('is named: %s', (text, kind) => {
    expect(kindOf(text)).toBe(kind);
  });
});

describe('a simulation', () => {
  it('shares workers out evenly', () => {
    expect(share(3, 8)).toEqual([1, 1, 1]);
    expect(share(20, 8)).toEqual([2, 2, 2, 2, 3, 3, 3, 3]);
  });

  it('reads what a process has used, whatever it is called', () => {
    const line = '42 (a (b) c) S 7 42 42 0 -1 4194560 1 2 3 4 100 50 10 5 20 0 1 0 1234';

    expect(parseStat(line)).toEqual({ parent: 7, cpuMs: 1_650 });
  });

  it('reads what a server says of itself', () => {
    expect(toFields('# Server\r\nprocess_id:42\r\ncmdstat_get:calls=3,usec=1\r\n')).toEqual({
      process_id: '42',
      cmdstat_get: 'calls=3,usec=1',
    });
  });

  it('writes its part of a page, and nothing else', () => {
    const page =
      'before\n<!-- measured: written by a program, do not edit -->\nold\n<!-- /measured -->\nafter\n';

    expect(replaceBetween(page, 'measured', 'new')).toBe(page.replace('\nold\n', '\n\nnew\n\n'));
    expect(() => replaceBetween('nothing', 'measured', 'new')).toThrow('has no part');
  });
});
