import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';

const root = new URL('../../', import.meta.url);

/** The packages whose versions decide the figures. */
const packages = [
  '@nestjs/core',
  '@nestjs/common',
  '@nestjs/schedule',
  'fastq',
  'p-queue',
  'async',
  '@ayonli/jsext',
  'async-channel',
  'bullmq',
  'graphile-worker',
];

/** Where the figures come from, as label and text. */
export function describeMachine(): readonly (readonly [label: string, text: string])[] {
  const processors = cpus();
  return [
    ['Date', new Date().toISOString().slice(0, 10)],
    ['Processor', `${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores`],
    ['Memory', `${Math.round(totalmem() / 2 ** 30)} GB`],
    ['System', `${type()} ${release()}`],
    ['Node', process.version],
    ['Packages', [`nestjs-nightshift ${versionIn('package.json')}`, ...packages.map(withVersion)].join(', ')],
  ];
}

function withVersion(name: string): string {
  return `${name} ${versionIn(`node_modules/${name}/package.json`)}`;
}

// Read as a file: not every package exports its own package.json.
function versionIn(path: string): string {
  return (JSON.parse(readFileSync(new URL(path, root), 'utf8')) as { version: string }).version;
}
