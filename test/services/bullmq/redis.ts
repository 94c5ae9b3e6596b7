import { randomUUID } from 'node:crypto';
import { Queue, type IRedisClient } from 'bullmq';
import { listens, type Service } from '../service.js';

export const redis: Service = {
  name: 'Redis 7 or Valkey',
  variable: 'REDIS_URL',
  defaultUrl: 'redis://127.0.0.1:6379',
  check: (url) => listens(url, 6_379),
};

/** What the keys of one test begin with. */
export function freshPrefix(): string {
  return `nightshift-test-${randomUUID()}`;
}

/** Uses a client of its own, as somebody from outside would. */
export async function withClient<T>(url: string, use: (client: IRedisClient) => Promise<T>): Promise<T> {
  const queue = new Queue('client', { connection: { url }, prefix: freshPrefix(), skipMetasUpdate: true });
  try {
    return await use(await queue.getBackend().client);
  } finally {
    await queue.close();
  }
}

/** Removes all keys that begin with `prefix`. */
export function removeKeys(url: string, prefix: string): Promise<void> {
  return withClient(url, async (client) => {
    let cursor = '0';
    do {
      const [next, keys] = await client.scan(cursor, { MATCH: `${prefix}:*`, COUNT: 1_000 });
      if (keys.length > 0) await client.del(...keys);
      cursor = next;
    } while (cursor !== '0');
  });
}
