import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { taskTransitions } from '../../libs/background/src/tasks/task.js';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
];

const names = (matches: RegExpMatchArray[]): string[] => matches.map(([, name]) => name!).toSorted();

describe('documents', () => {
  it('describe every event and no other', () => {
    const inCode = [
      ...read('libs/background/src/events/events.ts').matchAll(/^ {2}'([a-z]+\.[a-zA-Z]+)':/gm),
    ];
    const inDocs = [...read('docs/events.md').matchAll(/^\| `([a-z]+\.[a-zA-Z]+)`/gm)];

    expect(names(inCode).length).toBeGreaterThan(30);
    expect(names(inDocs)).toEqual(names(inCode));
  });

  it('list every warning code', () => {
    const sources = readdirSync(join(root, 'libs/background/src/nest')).filter(
      (name) => !/\.(spec|fixture)\.ts$/.test(name),
    );
    const code = sources.map((name) => read(join('libs/background/src/nest', name))).join('\n');
    const codes = [...code.matchAll(/(?:warn\(|code: )'([A-Z_]+)'/g)].map(([, name]) => name!);

    expect(codes.length).toBeGreaterThan(2);
    for (const name of codes) expect(read('docs/events.md')).toContain(`\`${name}\``);
  });

  it('draw every change of state of a task and no other', () => {
    const inCode = Object.entries(taskTransitions).flatMap(([from, next]) =>
      next.map((to) => `${from} --> ${to}`),
    );
    const [drawing] = read('docs/task-states.md').match(/(?<=```mermaid\n)[\s\S]*?(?=```)/) ?? [];
    const drawn = [...drawing!.matchAll(/^ {2}(\w+ --> \w+)/gm)];

    expect(names(drawn)).toEqual(inCode.toSorted());
  });

  it.each(pages)('%s links only to what exists', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link]) => link!);

    for (const link of links)
      expect(existsSync(join(root, dirname(page), link)), `${page} -> ${link}`).toBe(true);
  });

  it('README gives the two commands', () => {
    expect(read('README.md')).toContain('npm ci && npm start');
    expect(read('README.md')).toContain('npm ci && npm test');
  });

  it('README shows the example that is run here', () => {
    const [example] = read('README.md').match(/(?<=```ts\n)[\s\S]*?(?=```)/) ?? [];

    expect(example).toBe(read('test/docs/readme-example.ts'));
  });
});
