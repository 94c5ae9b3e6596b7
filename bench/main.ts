import 'reflect-metadata';
import { cpus } from 'node:os';
import { closureRows } from './closures.js';
import { measure, type Measured } from './comparison.js';
import { scopeRows } from './scopes.js';

console.log(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}. Speeds in items/ms: median of 7 rounds.\n`,
);
for (const prepare of [closureRows, scopeRows]) {
  const { rows, close } = await prepare();
  for (const row of rows) {
    console.log(row.name);
    for (const measured of await measure(row)) console.log(`  ${toLine(measured)}`);
  }
  await close();
}

function toLine({ name, median, spread, ratio, target }: Measured): string {
  const speed = `${name.padEnd(24)} ${median.toFixed(1).padStart(9)}  (${spread.map((each) => each.toFixed(1)).join(' to ')})`;
  if (ratio === undefined || target === undefined) return speed;
  return `${speed}  ours is ${ratio.toFixed(2)}x; the goal is ${target.toFixed(2)}x${ratio < target ? ': NOT MET' : ''}`;
}
