import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { longTimeout, runs } from '../long-runs.js';
import { connect, newFile, newTask, openStorage } from '../../libs/sqlite/src/store.fixture.js';
import { openStore } from '../../libs/sqlite/src/open-store.js';

const unbounded = { capacity: undefined, fullMode: 'wait' } as const;
const tasks = 40;
const damages = runs(25);

/** One between 0 and 1, the same ones each time. */
function randomNumbers(): () => number {
  let last = 42;
  return () => {
    last = (Math.imul(last, 1_664_525) + 1_013_904_223) >>> 0;
    return last / 2 ** 32;
  };
}

/** A file with tasks, each of them a commit of its own, as a process that is killed leaves it: with a log beside it. */
async function setup() {
  const file = newFile();
  const storage = await openStorage(file);
  const ids: string[] = [];
  for (let i = 0; i < tasks; i += 1) {
    const outcome = await storage.insert(newTask({ payload: JSON.stringify('x'.repeat(500)) }), unbounded);
    if (outcome.kind === 'added') ids.push(outcome.id);
  }
  const log = readFileSync(`${file}-wal`);

  /** What is found when the log is as `damaged` says. */
  const openWith = async (damaged: Buffer): Promise<{ found: string[]; integrity: unknown }> => {
    const copy = newFile();
    copyFileSync(file, copy);
    writeFileSync(`${copy}-wal`, damaged);
    (await openStore({ file: copy, synchronous: 'full', patienceMs: 0 })).close();
    const connection = await connect(copy);
    const rows = connection
      .prepare(`SELECT seq || '-' || nonce AS id FROM nightshift_tasks ORDER BY seq`)
      .all() as { id: string }[];
    const integrity = connection.prepare('PRAGMA integrity_check').get();
    return { found: rows.map(({ id }) => id), integrity };
  };
  return { ids, log, openWith };
}

describe('the log of a process that was killed', longTimeout, () => {
  it('keeps every task when the log of a killed process is whole', async () => {
    const { ids, log, openWith } = await setup();
    expect(await openWith(log)).toEqual({ found: ids, integrity: { integrity_check: 'ok' } });
  });

  it('keeps every task from before the tear, and opens, wherever the log is torn off', async () => {
    const { ids, log, openWith } = await setup();
    const random = randomNumbers();
    const counts: number[] = [];
    for (let i = 0; i < damages; i += 1) {
      const { found, integrity } = await openWith(log.subarray(0, Math.floor(random() * log.length)));
      expect(integrity).toEqual({ integrity_check: 'ok' });
      expect(found).toEqual(ids.slice(0, found.length));
      counts.push(found.length);
    }
    expect(new Set(counts).size).toBeGreaterThan(10); // it did tear it here and there
  });

  it('keeps every task from before the damage, and opens, wherever a byte of the log is flipped', async () => {
    const { ids, log, openWith } = await setup();
    const random = randomNumbers();
    for (let i = 0; i < damages; i += 1) {
      const damaged = Buffer.from(log);
      const at = Math.floor(random() * log.length);
      damaged[at]! ^= 1 + Math.floor(random() * 255);
      const { found, integrity } = await openWith(damaged);
      expect(integrity).toEqual({ integrity_check: 'ok' });
      expect(found).toEqual(ids.slice(0, found.length));
    }
  });
});
