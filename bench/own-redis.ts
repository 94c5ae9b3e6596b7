import type { Skipped } from './comparison.js';
import { RedisServer, type Fsync } from './redis-server.js';

/** A Redis that keeps what it is given on disk. */
export interface DurableRedis {
  readonly url: string;
  close(): Promise<void>;
}

/** A new one of the benchmark's own; else the one of `REDIS_URL`, whose settings the caller checks. */
export async function openRedis(appendfsync: Fsync): Promise<DurableRedis | Skipped> {
  const own = await RedisServer.open(appendfsync);
  if (own !== undefined) return { url: own.url, close: () => own[Symbol.asyncDispose]() };
  const url = process.env['REDIS_URL'];
  if (url !== undefined) return { url, close: async () => {} };
  return {
    skipped:
      'there is no `redis-server` on the PATH. Install one, or set `REDIS_URL` to a Redis with `appendonly yes` and ' +
      `\`appendfsync ${appendfsync}\`.`,
  };
}
