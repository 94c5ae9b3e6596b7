import { execFile, type ExecFileException } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../houses.js';

const run = promisify(execFile);

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The package as `npm pack` makes it. */
export interface Tarball {
  readonly file: string;
  /** What it contains. */
  readonly paths: readonly string[];
}

/** A project that has installed the package, and beside it only what it says it needs. */
export class Consumer implements AsyncDisposable {
  private constructor(readonly directory: string) {}

  /** @param dependencies what else is installed: names of packages, linked to the ones here */
  static async install({ file }: Tarball, dependencies: readonly string[]): Promise<Consumer> {
    const consumer = new Consumer(await mkdtemp(join(tmpdir(), 'nightshift-consumer-')));
    const library = consumer.path('node_modules/nestjs-nightshift');
    await mkdir(library, { recursive: true });
    await run('tar', ['-xzf', file, '--strip-components=1', '-C', library]);
    for (const name of dependencies) {
      await mkdir(dirname(consumer.path('node_modules', name)), { recursive: true });
      await symlink(join(root, 'node_modules', name), consumer.path('node_modules', name));
    }
    return consumer;
  }

  path(...segments: readonly string[]): string {
    return join(this.directory, ...segments);
  }

  async write(file: string, text: string): Promise<void> {
    await writeFile(this.path(file), text);
  }

  /** Runs Node in the project. */
  async node(...args: readonly string[]): Promise<Ran> {
    const options = { cwd: this.directory, env: { PATH: process.env['PATH'], NO_COLOR: '1' } };
    try {
      return { code: 0, ...(await run(process.execPath, args, options)) };
    } catch (error) {
      const { code, stdout, stderr } = error as ExecFileException & Ran;
      return { code: Number(code), stdout, stderr };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Packs what has been built in a house, without building it again. */
export async function pack(house: string, destination: string): Promise<Tarball> {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', destination];
  const { stdout } = await run('npm', args, { cwd: house });
  const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  const [file] = (await readdir(destination)).filter((name) => name.endsWith('.tgz'));
  return { file: join(destination, file!), paths: packed!.files.map(({ path }) => path) };
}
