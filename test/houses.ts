import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Where everything is built and linked, one directory for each major version of Nest. */
export interface Houses {
  readonly nest12: string;
  readonly nest11: string;
}

export const root = dirname(import.meta.dirname);

/** What is shipped beside the compiled library. */
const shippedFiles = ['package.json', 'LICENSE', 'README.md', 'CHANGELOG.md'];

/** What Nest 11 is installed as here, by its own name. */
const nest11 = new Map(
  ['common', 'core', 'platform-express', 'platform-fastify'].map((name) => [name, `nestjs-${name}-11`]),
);

/**
 * Builds the library and the scenarios away from `dist`, which others may be running or building, and furnishes a house
 * for each major: a directory with the package file, the build and a `node_modules` of that major. The scenarios inside
 * import `nestjs-nightshift` as the package's own name.
 */
export async function furnishHouses(directory: string): Promise<Houses> {
  const houses = { nest12: join(directory, 'nest-12'), nest11: join(directory, 'nest-11') };
  await compile(join(houses.nest12, 'dist'));
  const existing = await readdir(root);
  for (const file of shippedFiles.filter((name) => existing.includes(name)))
    await copyFile(join(root, file), join(houses.nest12, file));
  await symlink(join(root, 'node_modules'), join(houses.nest12, 'node_modules'));

  await mkdir(houses.nest11);
  for (const shared of ['package.json', 'dist'])
    await symlink(join(houses.nest12, shared), join(houses.nest11, shared));
  await linkModulesOfNest11(join(houses.nest11, 'node_modules'));
  return houses;
}

async function compile(outDir: string): Promise<void> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const project = join(import.meta.dirname, 'tsconfig.build.json');
  try {
    await promisify(execFile)(process.execPath, [tsc, '-p', project, '--outDir', outDir]);
  } catch (error) {
    throw new Error(`The library does not compile:\n${(error as { stdout?: string }).stdout}`, {
      cause: error,
    });
  }
}

/** Links every installed package, with the four of Nest replaced. Run with `--preserve-symlinks`. */
async function linkModulesOfNest11(target: string): Promise<void> {
  const source = join(root, 'node_modules');
  await mkdir(join(target, '@nestjs'), { recursive: true });
  for (const name of await readdir(source))
    if (!name.startsWith('.') && name !== '@nestjs') await symlink(join(source, name), join(target, name));
  for (const name of await readdir(join(source, '@nestjs')))
    await symlink(join(source, nest11.get(name) ?? `@nestjs/${name}`), join(target, '@nestjs', name));
}
