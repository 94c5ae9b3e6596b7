import { createRequire } from 'node:module';
import { Queue, Worker, type ConnectionOptions, type JobsOptions } from 'bullmq';
import type { Skipped } from './comparison.js';
import { callers, payload } from './durable-work.js';
import { openRedis } from './own-redis.js';
import type { Fsync } from './redis-server.js';

export interface OpenBullmq {
  enqueue(): Promise<unknown>;
  /** All in one call. */
  enqueueMany(amount: number): Promise<unknown>;
  /** Removes everything that waits. */
  clear(): Promise<void>;
  /** Resolves when so many are completed. */
  workOff(amount: number): Promise<void>;
  close(): Promise<void>;
}

interface BullmqSetup {
  readonly hasWorker: boolean;
  readonly appendfsync: Fsync;
  /** What is kept of what is completed. */
  readonly removeOnComplete: NonNullable<JobsOptions['removeOnComplete']>;
  /** Of each job; without one it has none, which costs less. */
  readonly priority?: number;
}

/** A queue of BullMQ on a Redis of its own. */
export async function openBullmq(setup: BullmqSetup): Promise<OpenBullmq | Skipped> {
  const { hasWorker, appendfsync, ...options } = setup;
  if (!canLoad('ioredis'))
    return {
      skipped: 'BullMQ needs `ioredis`, which it does not install itself: `npm install --no-save ioredis`.',
    };
  const redis = await openRedis(appendfsync);
  if ('skipped' in redis) return redis;
  const connection: ConnectionOptions = { url: redis.url, maxRetriesPerRequest: null };
  const name = `nightshift-bench-${process.pid}`;
  const queue = new Queue(name, { connection });
  await queue.waitUntilReady();
  const wrong = await whatIsWrong(queue, appendfsync);
  if (wrong !== undefined) {
    await queue.close();
    await redis.close();
    return { skipped: `the Redis of \`REDIS_URL\` ${wrong}.` };
  }
  let worker: Worker | undefined;
  let onCompleted: (() => void) | undefined;
  if (hasWorker) {
    worker = new Worker(name, async () => {}, { connection, concurrency: callers });
    worker.on('completed', () => onCompleted?.());
    await worker.waitUntilReady();
  }
  const job = { name: 'resize', data: payload, opts: options };
  return {
    enqueue: () => queue.add(job.name, job.data, job.opts),
    enqueueMany: (amount) => queue.addBulk(Array.from({ length: amount }, () => job)),
    clear: () => queue.obliterate({ force: true }).then(() => queue.resume()),
    workOff: (amount) =>
      new Promise((resolve) => {
        let left = amount;
        onCompleted = () => {
          left -= 1;
          if (left === 0) resolve();
        };
      }),
    async close() {
      await worker?.close();
      await queue.obliterate({ force: true });
      await queue.close();
      await redis.close();
    },
  };
}

async function whatIsWrong(queue: Queue, appendfsync: Fsync): Promise<string | undefined> {
  const client = await queue.backend.client;
  for (const [setting, wanted] of [
    ['appendonly', 'yes'],
    ['appendfsync', appendfsync],
  ] as const) {
    const [, value] = (await client.runCommand('config', ['GET', setting])) as readonly string[];
    if (value !== wanted) return `has \`${setting} ${value}\` and needs \`${setting} ${wanted}\``;
  }
  return undefined;
}

function canLoad(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
