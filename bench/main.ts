import { writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { describeMachine } from './machine.js';
import { measureRows } from './measure.js';
import type { MeasuredRow } from './measured.js';
import { toPage } from './page.js';
import { toLines } from './report.js';

/*
 * npm run bench                       everything; writes docs/benchmarks.md
 * npm run bench -- closures           only the rows whose id or group contains the word
 * npm run bench -- --quick            few rounds of little work: whether it runs, and a hint of the figures
 */
const words = process.argv.slice(2);
const isQuick = words.includes('--quick');
const word = words.find((each) => !each.startsWith('--')) ?? '';
const effort = isQuick ? { rounds: 3, scale: 0.1 } : { rounds: 7, scale: 1 };

for (const [label, text] of describeMachine()) console.log(`${label}: ${text}`);
console.log();
const rows: MeasuredRow[] = [];
for await (const row of measureRows(word, effort)) {
  rows.push(row);
  console.log(toLines(row).join('\n'));
}
if (word === '' && !isQuick) await writePage();
else console.log('docs/benchmarks.md is written by a full run only.');

async function writePage(): Promise<void> {
  const page = new URL('../../docs/benchmarks.md', import.meta.url);
  const options = await resolveConfig(page);
  await writeFile(page, await format(toPage(describeMachine(), rows), { ...options, parser: 'markdown' }));
}
