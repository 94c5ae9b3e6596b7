import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Skipped } from './comparison.js';

/** A Redis that keeps what it is given on disk. */
export interface DurableRedis {
  readonly url: string;
  close(): Promise<void>;
}

/** When it writes: before it answers, or once a second. */
export type Fsync = 'always' | 'everysec';

/** A new one of the benchmark's own; else the one of `REDIS_URL`, whose settings the caller checks. */
export async function openRedis(appendfsync: Fsync): Promise<DurableRedis | Skipped> {
  const own = await startRedis(appendfsync);
  if (own !== undefined) return own;
  const url = process.env['REDIS_URL'];
  if (url !== undefined) return { url, close: async () => {} };
  return {
    skipped:
      'there is no `redis-server` on the PATH. Install one, or set `REDIS_URL` to a Redis with `appendonly yes` and ' +
      `\`appendfsync ${appendfsync}\`.`,
  };
}

/** @returns `undefined` when there is no `redis-server` */
async function startRedis(appendfsync: Fsync): Promise<DurableRedis | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'nightshift-bench-redis-'));
  const removeFiles = (): Promise<void> => rm(directory, { recursive: true, force: true });
  const port = await freePort();
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
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn('redis-server', words, { stdio: ['ignore', 'pipe', 'ignore'] });
  const endWithUs = (): void => void server.kill();
  process.once('exit', endWithUs);
  const started = await Promise.race([
    isReady(server.stdout),
    once(server, 'exit').then(() => false),
    once(server, 'error').then(() => false),
  ]).catch(() => false);
  if (!started) {
    process.off('exit', endWithUs);
    await removeFiles();
    return undefined;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    async close() {
      process.off('exit', endWithUs);
      const ended = once(server, 'exit');
      server.kill();
      await ended;
      await removeFiles();
    },
  };
}

async function isReady(output: AsyncIterable<Buffer> & NodeJS.ReadableStream): Promise<boolean> {
  let text = '';
  return new Promise((resolve) => {
    output.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('Ready to accept connections')) resolve(true);
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
