import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { describeMachine } from '../machine.js';
import { replaceBetween } from './between-markers.js';
import { openPostgresStore } from './postgres-store.js';
import { openRedisStore } from './redis-store.js';
import type { OpenStore } from './shared-store.js';
import { simulate, type Simulated } from './simulation.js';
import { fullEffort, quickEffort } from './situation.js';
import { openSqliteStore } from './sqlite-store.js';
import { toTables } from './table.js';

/*
 * npm run bench:scale                       everything; writes the tables of docs/scaling.md
 * npm run bench:scale -- postgres 1 16      only on stores whose name contains the word, only with so many workers
 * npm run bench:scale -- --quick            few workers for a short time: whether it runs, and a hint of the figures
 * npm run bench:scale -- --calls            and prints what is asked of the server, by what it is for
 */
const words = process.argv.slice(2);
const isQuick = words.includes('--quick');
const tellsCalls = words.includes('--calls');
const word = words.find((each) => /^[a-z]/i.test(each))?.toLowerCase() ?? '';
const counts = words.map(Number).filter((each) => each > 0);
const effort = isQuick ? quickEffort : fullEffort;
const workers = counts.length > 0 ? counts : effort.workers;

const stores: Readonly<Record<string, OpenStore>> = {
  postgresql: openPostgresStore,
  bullmq: openRedisStore,
  sqlite: openSqliteStore,
};

const parts = [toLines(describeMachine())];
console.log(parts[0]);
for (const [name, open] of Object.entries(stores)) if (name.includes(word)) parts.push(await run(open));
if (word === '' && !isQuick && counts.length === 0) await writePage(parts);
else console.log('docs/scaling.md is written by a full run only.');

async function run(open: OpenStore): Promise<string> {
  const store = await open();
  if ('skipped' in store) return `**Skipped here**: ${store.skipped}`;
  const simulated: Simulated[] = [];
  try {
    for (const each of workers.filter((amount) => amount <= store.mostWorkers)) {
      simulated.push(await simulate(store, each, { ...effort, workers }));
      if (tellsCalls) tellCalls(simulated.at(-1)!);
    }
  } finally {
    await store.close();
  }
  const tables = toTables(store.name, store.setup, simulated);
  console.log(`\n${await format(tables, { parser: 'markdown' })}`);
  return tables;
}

function tellCalls({ workers: amount, ...stretches }: Simulated): void {
  for (const situation of ['backlog', 'trickle', 'idle'] as const) {
    const { tally, seconds, tasks } = stretches[situation];
    console.log(amount, situation, `${tasks} tasks in ${seconds.toFixed(1)} s`, JSON.stringify(tally));
  }
}

function toLines(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([label, text]) => `- ${label}: ${text}`).join('\n');
}

async function writePage(texts: readonly string[]): Promise<void> {
  const file = new URL('../../../docs/scaling.md', import.meta.url);
  const options = await resolveConfig(file);
  const page = replaceBetween(await readFile(file, 'utf8'), 'measured', texts.join('\n\n'));
  await writeFile(file, await format(page, { ...options, parser: 'markdown' }));
}
