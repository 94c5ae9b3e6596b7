import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { queueScripts } from '../../../libs/bullmq/src/scripts/queue-scripts.js';
import { describeWithService } from '../service.js';
import { freshPrefix, redis, removeKeys } from './redis.js';

const restMs = 60_000;

/** A set of jobs that have ended long ago, and what one step of pruning makes of it. */
async function setup(url: string, jobs: number, stretch: number) {
  const prefix = freshPrefix();
  const base = `${prefix}:q:`;
  const client = new Redis(url);
  for (let i = 0; i < jobs; i += 1) await client.zadd(`${base}failed`, i, String(i));
  return {
    prune: (from = 0) =>
      client.eval(queueScripts.prune, 1, base, 'failed', from, from + stretch - 1, restMs, 'dead', 0, 2),
    rest: () => client.pttl(`${base}nightshift:pruned:failed`),
    [Symbol.asyncDispose]: async () => {
      client.disconnect();
      await removeKeys(url, prefix);
    },
  };
}

await describeWithService(redis, 'pruning by many processes', (url) => {
  it('is done by one of them, and again after a rest', async () => {
    await using queue = await setup(url, 5, 10);
    expect(await queue.prune()).toEqual([5, 3, 2]);
    expect(await queue.prune()).toEqual([0, 0]);
    expect(await queue.rest()).toBeGreaterThan(restMs / 2);
    expect(await queue.rest()).toBeLessThanOrEqual(restMs);
  });

  it('goes through all stretches, and rests for as many', async () => {
    await using queue = await setup(url, 5, 2);
    expect(await queue.prune()).toEqual([2, 0, 2]);
    expect(await queue.prune(2)).toEqual([2, 0, 2]); // whoever has begun goes on
    expect(await queue.rest()).toBeGreaterThan(restMs * 2);
    expect(await queue.rest()).toBeLessThanOrEqual(restMs * 3);
  });
});
