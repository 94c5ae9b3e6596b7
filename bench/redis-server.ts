import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, ServerProcess } from './server-process.js';

/** When a Redis writes to disk: before it answers, or once a second. */
export type Fsync = 'always' | 'everysec';

/** A Redis of our own that keeps on disk what it is given. It can be stopped and started again, on what it has kept. */
export class RedisServer extends ServerProcess implements AsyncDisposable {
  private constructor(
    private readonly directory: string,
    private readonly port: number,
    appendfsync: Fsync,
  ) {
    const settings = {
      port,
      bind: '127.0.0.1',
      dir: directory,
      save: '',
      appendonly: 'yes',
      appendfsync,
      // Nothing in its favour or against it: no rewriting of its files during a round.
      'auto-aof-rewrite-percentage': 0,
    };
    super({
      command: 'redis-server',
      args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
      readyText: 'Ready to accept connections',
    });
  }

  /** @returns `undefined` when there is no `redis-server` */
  static async open(appendfsync: Fsync = 'always'): Promise<RedisServer | undefined> {
    const directory = await mkdtemp(join(tmpdir(), 'nightshift-redis-'));
    const server = new RedisServer(directory, await freePort(), appendfsync);
    if (await server.start()) return server;
    await server[Symbol.asyncDispose]();
    return undefined;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}
