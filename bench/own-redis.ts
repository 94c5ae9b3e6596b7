import type { Skipped } from './comparison.js';
import { RedisServer } from './redis-server.js';

/** A Redis that writes to disk before it answers. */
export interface DurableRedis {
  readonly url: string;
  close(): Promise<void>;
}

/** A new one of the benchmark's own; else the one of `REDIS_URL`, whose settings the caller checks. */
export async function openRedis(): Promise<DurableRedis | Skipped> {
  const own = await RedisServer.open();
  if (own !== undefined) return { url: own.url, close: () => own[Symbol.asyncDispose]() };
  const url = process.env['REDIS_URL'];
  if (url !== undefined) return { url, close: async () => {} };
  return {
    skipped:
      'there is no `redis-server` on the PATH. Install one, or set `REDIS_URL` to a Redis with `appendonly yes` and `appendfsync always`.',
  };
}
