import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { isLong } from '../long-runs.js';
import { bundled } from './bundle.js';
import { Child, oneNest } from './child.js';
import { Journal } from './journal.js';
import { keepLedger, readLedger } from './ledger.js';

/** How many of a process's tasks run at once, all queues together: what it may have in hand when it is killed. */
const concurrency = 10;
/** How many processes work on the file at a time. */
const shifts = 3;
/** Which part of them die while they open the file, or soon after. */
const diesEarly = 0.2;
const longestShiftMs = 300;
const rate = { max: 20, perMs: 200 };
/** How far the clock of whoever claims may be behind that of the database, which writes the ledger. */
const clockSlackMs = 30;

const seed = Number(process.env['NIGHTSHIFT_SEED'] ?? Date.now() % 1_000_000);
let scenario = '';
beforeAll(async () => {
  scenario = await bundled(oneNest, 'bakery');
});

async function setup(options: { readonly thread: boolean }) {
  const directory = mkdtempSync(join(tmpdir(), 'nightshift-kills-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'tasks.db');
  const journal = new Journal(join(directory, 'journal'));
  onTestFinished(() => journal[Symbol.dispose]());
  await keepLedger(file);
  const open = (number: number, isLast = false): Child => {
    const said = { file, journal: journal.path, seed: seed + number, isLast, ...options };
    return new Child(oneNest, scenario, JSON.stringify(said));
  };
  return { file, journal, open };
}

type Setup = Awaited<ReturnType<typeof setup>>;

/** Lets processes work on the file, some at a time, and kills each at a random moment; another takes its place at once. */
async function killMany(kills: number, { journal, open }: Setup): Promise<void> {
  let opened = 0;
  const workOneShift = async (): Promise<void> => {
    // The next one is started ahead, so that it takes over at once.
    let next = open(opened++);
    for (;;) {
      await using child = next;
      await child.line('ready');
      child.tell('go');
      const isLast = opened >= kills;
      if (!isLast) next = open(opened++);
      const luck = random(child.pid);
      if (luck >= diesEarly) await child.line('open');
      await sleep(luck * longestShiftMs);
      journal.killed(child.pid);
      child.kill('SIGKILL');
      expect(await child.end).toEqual({ code: null, signal: 'SIGKILL' });
      if (isLast) return;
    }
  };
  await Promise.all(Array.from({ length: shifts }, workOneShift));
}

/** One between 0 and 1 for each number. */
function random(number: number): number {
  return ((Math.imul(number + seed, 2_654_435_761) >>> 0) % 1_000) / 1_000;
}

describe.each([
  { how: 'in its own thread', thread: false, kills: isLong ? 1_000 : 60 },
  { how: 'with `thread`', thread: true, kills: isLong ? 1_000 : 20 },
])('a durable queue whose processes are killed, $how', ({ thread, kills }) => {
  it(
    'loses nothing it has acknowledged, completes nothing twice, and runs again only what was in hand',
    async () => {
      const bakery = await setup({ thread });
      await killMany(kills, bakery);
      const last = bakery.open(kills, true);
      await last.line('ready');
      last.tell('go');
      expect(await last.end).toEqual({ code: 0, signal: null });

      const journal = bakery.journal.read();
      const ledger = await readLedger(bakery.file);
      const lost = [...journal.acknowledged].filter((id) => !ledger.ids.has(id));
      const { acknowledged, starts, reruns, mostRerunsOfOne } = journal;
      console.log(
        `${kills} kills (seed ${seed}${thread ? ', thread' : ''}): ${acknowledged.size} acknowledged, ${lost.length} lost, ` +
          `${ledger.completedTwice} completed twice, ${ledger.states['completed']} of ${ledger.ids.size} completed, ` +
          `${starts} starts, ${reruns} runs again (at most ${mostRerunsOfOne} after one kill), ${ledger.claims} claims`,
      );
      expect(lost).toEqual([]);
      expect(ledger.completedTwice).toBe(0);
      expect(ledger.states).toEqual({ completed: ledger.ids.size });
      expect([...journal.faults, ...ledger.faults]).toEqual([]);
      expect(ledger.repeatedKeys).toBe(0);
      expect(mostRerunsOfOne).toBeLessThanOrEqual(concurrency);
      expect(ledger.mostClaimsWithin('post', rate.perMs - clockSlackMs)).toBeLessThanOrEqual(rate.max);
      expect(acknowledged.size).toBeGreaterThan(kills);
    },
    kills * 1_500 + 60_000,
  );
});
