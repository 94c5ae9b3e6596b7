import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { root } from '../houses.js';
import { Consumer } from './consumer.js';

interface PackageFile {
  readonly exports: Record<string, string | { readonly types: string; readonly default: string }>;
  readonly dependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
  readonly peerDependenciesMeta: Record<string, { readonly optional: boolean }>;
}

const { exports, dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
) as PackageFile;

const subPaths = Object.entries(exports).flatMap(([path, target]) =>
  typeof target === 'string' ? [] : [{ name: join('nestjs-nightshift', path), ...target }],
);
const needed = [
  ...Object.keys(dependencies),
  ...Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true),
];

const tarball = inject('tarball');

/** From 22.13 on Node brings its own. */
const hasSqlite = process.getBuiltinModule?.('node:sqlite') !== undefined;

function printExports(name: string): string {
  return `console.log(Object.keys(await import(${JSON.stringify(name)})).join(' '))`;
}

describe('the package', () => {
  it('ships the library and what a package has to have, and nothing else', () => {
    const beside = tarball.paths.filter((path) => !path.startsWith('dist/libs/'));
    expect(beside.toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
  });

  it('ships no spec and no fixture, and types with every module', () => {
    const { paths } = tarball;
    expect(paths.filter((path) => /\.(spec|fixture)\./.test(path))).toEqual([]);
    const modules = paths.filter((path) => path.endsWith('.js'));
    expect(modules.length).toBeGreaterThan(40);
    const untyped = modules.filter((path) => !paths.includes(path.replace(/\.js$/, '.d.ts')));
    expect(untyped).toEqual([]);
  });

  it.each(subPaths)('contains what the export of $name points to', (target) => {
    for (const path of [target.types, target.default])
      expect(tarball.paths).toContain(path.replace('./', ''));
  });

  it.each(subPaths)(
    'loads $name in plain Node with nothing installed but what it needs',
    async ({ name }) => {
      await using consumer = await Consumer.install(tarball, needed);
      const ran = await consumer.node('--input-type=module', '-e', printExports(name));
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      expect(ran.stdout.trim()).not.toBe('');
    },
  );

  it('loads nestjs-nightshift/channels with nothing installed beside it', async () => {
    await using consumer = await Consumer.install(tarball, []);
    const use = `import { createBoundedChannel } from 'nestjs-nightshift/channels';
      const { reader, writer } = createBoundedChannel(1);
      await writer.write('an item');
      console.log(await reader.read());`;
    const ran = await consumer.node('--input-type=module', '-e', use);
    expect(ran).toEqual({ code: 0, stdout: 'an item\n', stderr: '' });
  });

  it.skipIf(hasSqlite)('says what to install when there is no SQLite', async () => {
    await using consumer = await Consumer.install(tarball, needed);
    const use = `import { sqliteEngine } from 'nestjs-nightshift/sqlite';
      await sqliteEngine({ file: 'tasks.db' }).open({ clock: {} }).catch(({ code, message }) => console.log(code, message));`;
    const ran = await consumer.node('--input-type=module', '-e', use);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^SQLITE_DRIVER_MISSING .*npm install @photostructure\/sqlite@1/);
  });

  it('says what to install when there is no BullMQ', async () => {
    await using consumer = await Consumer.install(tarball, needed);
    const use = `import { bullmqEngine } from 'nestjs-nightshift/bullmq';
      await bullmqEngine({ connection: 'redis://localhost' }).open({}).catch(({ code, message }) => console.log(code, message));`;
    const ran = await consumer.node('--input-type=module', '-e', use);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^BULLMQ_MISSING .*npm install bullmq ioredis/);
  });

  it('says what to install when pg is not there', async () => {
    await using consumer = await Consumer.install(tarball, needed);
    const use = `import { postgresEngine } from 'nestjs-nightshift/postgres';
      await postgresEngine({ connectionString: 'postgres://localhost' }).open({ clock: {} })
        .catch(({ code, message }) => console.log(code, message));`;
    const ran = await consumer.node('--input-type=module', '-e', use);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^PG_MISSING .*npm install pg/);
  });

  it('is one and the same when it is required and when it is imported', async () => {
    await using consumer = await Consumer.install(tarball, needed);
    await consumer.write(
      'main.cjs',
      `const { BackgroundModule } = require('nestjs-nightshift');
      import('nestjs-nightshift').then((imported) => console.log(imported.BackgroundModule === BackgroundModule));`,
    );
    expect(await consumer.node('main.cjs')).toEqual({ code: 0, stdout: 'true\n', stderr: '' });
  });

  it.each(['consumer.mts', 'consumer.cts'])(
    'has types that compile for an application in %s',
    async (file) => {
      await using consumer = await Consumer.install(tarball, [...needed, '@types/node', 'undici-types']);
      const imports = subPaths.map(({ name }, index) => `import * as all${index} from '${name}';`);
      await consumer.write(
        file,
        `${imports.join('\n')}
      import { BackgroundModule, type TaskContext } from 'nestjs-nightshift';
      export const used = [${subPaths.map((_, index) => `all${index}`).join(', ')}];
      export const loaded = BackgroundModule.forRoot({ shutdownTimeout: '5s' });
      export const id = (context: TaskContext): string => context.id;
      // @ts-expect-error: proof that these types are not any
      export const wrong = (context: TaskContext): number => context.id;`,
      );
      const compilerOptions = {
        module: 'nodenext',
        target: 'es2022',
        lib: ['es2023', 'esnext.disposable'],
        types: ['node'],
        strict: true,
        noEmit: true,
        skipLibCheck: false,
      };
      await consumer.write('tsconfig.json', JSON.stringify({ compilerOptions, include: [file] }));
      const ran = await consumer.node(join(root, 'node_modules/typescript/bin/tsc'), '-p', '.');
      expect(ran).toEqual({ code: 0, stdout: '', stderr: '' });
    },
  );
});
