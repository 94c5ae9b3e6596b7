import { execFile } from 'node:child_process';
import { chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, ServerProcess } from './server-process.js';

/** Where Debian and its kin keep the programs of each version: they are not on the PATH. */
const versions = '/usr/lib/postgresql';

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** A PostgreSQL of our own, with its usual settings, which can be stopped and started again on what it has kept. */
export class PostgresServer extends ServerProcess implements AsyncDisposable {
  private constructor(
    private readonly directory: string,
    private readonly port: number,
    programs: string,
    mostConnections: number,
    user: User | undefined,
  ) {
    super({
      command: join(programs, 'postgres'),
      args: Object.entries({
        '-D': join(directory, 'data'),
        '-p': port,
        '-k': directory,
        '-h': '127.0.0.1',
        '-N': mostConnections,
      }).flatMap(([name, value]) => [name, String(value)]),
      readyText: 'ready to accept connections',
      ...user,
    });
  }

  /** @param programs where `initdb` and `postgres` are. @throws when it does not start */
  static async open(programs: string, mostConnections: number): Promise<PostgresServer> {
    const directory = await mkdtemp(join(tmpdir(), 'nightshift-pg-'));
    const user = await whoRunsIt();
    if (user !== undefined) await chown(directory, user.uid, user.gid);
    const options = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
    await promisify(execFile)(join(programs, 'initdb'), ['-D', join(directory, 'data'), ...options], {
      ...user,
    });
    const server = new PostgresServer(directory, await freePort(), programs, mostConnections, user);
    if (!(await server.start())) throw new Error(`The PostgreSQL of ${programs} does not start`);
    return server;
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGINT'); // without waiting for those who are connected
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Where the programs of a PostgreSQL server are; `undefined` when there are none. */
export async function findPostgresPrograms(): Promise<string | undefined> {
  const given = process.env['NIGHTSHIFT_POSTGRES_BIN'];
  const installed = (await readdir(versions).catch(() => [])).toSorted((a, b) => Number(b) - Number(a));
  const onPath = (process.env['PATH'] ?? '').split(':');
  const places =
    given === undefined ? [...onPath, ...installed.map((v) => join(versions, v, 'bin'))] : [given];
  for (const place of places) {
    const names: readonly string[] = await readdir(place).catch(() => []);
    if (['initdb', 'postgres'].every((name) => names.includes(name))) return place;
  }
  return undefined;
}

/** It refuses to be run by root. */
async function whoRunsIt(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const line = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .find((each) => each.startsWith('postgres:'));
  if (line === undefined) throw new Error('There is no user `postgres` to run a PostgreSQL server as');
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}
