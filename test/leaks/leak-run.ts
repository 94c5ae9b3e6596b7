import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { inject } from 'vitest';
import { isLong } from '../long-runs.js';
import type { HeapLevels, Remainder } from './apps/measurement.js';

/** Nothing takes that long, not even on a machine that has much else to do. The time limit of the tests as well. */
export const longestRunMs = isLong ? 3_600_000 : 120_000;

/** What Node prints when a promise was forgotten or a listener leaks. */
const complaints = /unhandled ?rejection|MaxListenersExceeded|Warning:/i;

const { nest12, nest11 } = inject('houses');

/** Nest keeps what it makes for a scope in maps of its own, so each major is measured. */
export const nestMajors = [
  { major: 12, house: nest12, nodeOptions: [] },
  { major: 11, house: nest11, nodeOptions: ['--preserve-symlinks', '--preserve-symlinks-main'] },
] as const;

export type NestMajor = (typeof nestMajors)[number];

/** How often a scenario does things, in the short and in the long variant. */
export function times(short: number, long: number): number {
  return isLong ? long : short;
}

/** Runs a scenario of `apps/` to its end. Fails when Node complains, or when the process does not end by itself. */
export async function figuresOf<F extends Remainder | HeapLevels>(
  { house, nodeOptions }: NestMajor,
  scenario: string,
  count: number,
): Promise<readonly F[]> {
  const script = join(house, 'dist/test/leaks/apps', `${scenario}.js`);
  const child = spawn(process.execPath, [...nodeOptions, '--expose-gc', script, String(count)], {
    env: { PATH: process.env['PATH'], NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestRunMs,
    killSignal: 'SIGKILL',
  });
  const printed = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => (printed[stream] += text));
  const end = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(`${code ?? signal}`));
  });
  if (end !== '0' || complaints.test(printed.stderr))
    throw new Error(`${scenario} ended with ${end}. It printed:\n${printed.stdout}${printed.stderr}`);
  const figures = printed.stdout.split('\n').filter((line) => line.startsWith('{'));
  return figures.map((line) => JSON.parse(line) as F);
}
