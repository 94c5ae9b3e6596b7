import { mkdtemp, readFile, rm, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { Declarations } from './declarations.js';

/** Where `any` is what is meant. */
const allowed: readonly { readonly text: string; readonly because: string }[] = [
  {
    text: 'export type ScopeToken<T = unknown> = string | symbol | (abstract new (...args: any[]) => T);',
    because:
      'a constructor of any parameters; `never[]` would not take a class that Nest resolves by its token',
  },
];

async function exported(): Promise<Declarations> {
  const house = inject('houses').nest12;
  const { exports } = JSON.parse(await readFile(join(house, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { readonly types: string }>;
  };
  const types = Object.entries(exports).flatMap(([path, target]) =>
    typeof target === 'string' ? [] : [[join('nestjs-nightshift', path), target.types] as const],
  );
  return new Declarations(house, new Map(types));
}

describe('the exported types', () => {
  it('have no any but where one is meant', async () => {
    const declarations = await exported();
    expect(declarations.files.length).toBeGreaterThan(30);
    const found = declarations.placesOf('any');
    expect(found.filter(({ text }) => !allowed.some((place) => place.text === text))).toEqual([]);
    const unused = allowed.filter(({ text }) => !found.some((place) => place.text === text));
    expect(unused).toEqual([]);
  });
});

describe('the search in declarations', () => {
  it('follows imports and finds code, and neither comments nor texts', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nightshift-declarations-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    await mkdir(join(directory, 'other'));
    await writeFile(
      join(directory, 'index.d.ts'),
      "export * from './one.js';\n/** takes any */\nexport declare const a: 'any';\n",
    );
    await writeFile(
      join(directory, 'one.d.ts'),
      "import { two } from 'p/other';\nexport declare function one(x: typeof two): void;\n",
    );
    await writeFile(
      join(directory, 'other/index.d.ts'),
      '/*\n any\n*/\nexport declare const two: any; // any\n',
    );
    await writeFile(join(directory, 'unreached.d.ts'), 'export declare const three: any;\n');
    const exports = new Map([
      ['p', './index.d.ts'],
      ['p/other', './other/index.d.ts'],
    ]);
    const declarations = new Declarations(directory, exports);
    expect(declarations.files).toEqual(['index.d.ts', 'one.d.ts', 'other/index.d.ts']);
    expect(declarations.placesOf('any')).toEqual([
      { file: 'other/index.d.ts', line: 4, text: 'export declare const two: any; // any' },
    ]);
  });
});
