import { systemClock } from 'nestjs-nightshift/channels';
import { BackgroundEvents } from 'nestjs-nightshift';
import { bullmqEngine } from 'nestjs-nightshift/bullmq';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import type { RedisSession } from '../../../libs/bullmq/src/redis-session.js';
import { describeWithService } from '../service.js';
import { freshPrefix, redis, removeKeys } from './redis.js';

const now = 1_000_000;

/** The scripts of an engine, as a client sends them: again, when it was not answered. */
async function setup(url: string) {
  const prefix = freshPrefix();
  const engine = bullmqEngine({ connection: url, prefix });
  await engine.open({ clock: systemClock, events: new BackgroundEvents(systemClock) } as never);
  const { session } = (engine as unknown as { opened: { session: RedisSession } }).opened;
  const base = session.base('mail');
  const client = new Redis(url);
  const run = (script: Parameters<RedisSession['run']>[0], ...args: (string | number)[]): Promise<unknown> =>
    session.run(script, base, args);
  const enqueue = (id: string, options: { key?: string; onConflict?: string } = {}): Promise<unknown> => {
    const { key = '', onConflict = 'reject' } = options;
    return run('enqueue', 'send', '{}', '{}', now, 0, 5, key, 0, onConflict, '', 100, '', 'ada', 1, id);
  };
  /** As a fetch does. */
  const fetch = async (id: string, token: string): Promise<void> => {
    await client.zrem(`${base}prioritized`, id);
    await client.lpush(`${base}active`, id);
    await client.set(`${base}${id}:lock`, token);
  };
  return {
    run,
    enqueue,
    fetch,
    client,
    base,
    [Symbol.asyncDispose]: async () => {
      client.disconnect();
      await engine.close();
      await removeKeys(url, prefix);
    },
  };
}

await describeWithService(redis, 'a step that is sent again because its answer was lost', (url) => {
  it('adds no other task, and does not take the first for one, when it enqueues', async () => {
    await using queue = await setup(url);
    for (const onConflict of ['reject', 'replace', 'keep']) {
      const once = await queue.enqueue(onConflict, { key: onConflict, onConflict });
      expect(await queue.enqueue(onConflict, { key: onConflict, onConflict })).toEqual(once);
    }
    expect(await queue.client.zcard(`${queue.base}prioritized`)).toBe(3);
  });

  it('does not line a task up once more that has begun meanwhile', async () => {
    await using queue = await setup(url);
    await queue.enqueue('a');
    await queue.fetch('a', 'mine');
    await queue.enqueue('a');
    expect(await queue.client.zcard(`${queue.base}prioritized`)).toBe(0);
  });

  it('does not begin what it has held back, when the concurrencyKey is free by now', async () => {
    await using queue = await setup(url);
    for (const id of ['a', 'b']) {
      await queue.enqueue(id);
      await queue.fetch(id, id);
    }
    expect(await queue.run('acquire', 'a', 'a', 'ada', 1, now)).toBe(1);
    expect(await queue.run('acquire', 'b', 'b', 'ada', 1, now)).toBe(0);
    await queue.client.lrem(`${queue.base}active`, 1, 'a');
    await queue.client.del(`${queue.base}a:lock`);
    await queue.run('yieldKey', 'a', 'ada', 'a');
    expect(await queue.run('acquire', 'b', 'b', 'ada', 1, now)).toBe(0);
    expect(await queue.client.scard(`${queue.base}nightshift:holders:ada`)).toBe(0);
  });

  it('leaves the concurrencyKey to the worker that has the task by now', async () => {
    await using queue = await setup(url);
    await queue.enqueue('a');
    await queue.fetch('a', 'theirs');
    expect(await queue.run('acquire', 'a', 'theirs', 'ada', 1, now)).toBe(1);
    await queue.run('yieldKey', 'a', 'ada', 'mine');
    expect(await queue.client.scard(`${queue.base}nightshift:holders:ada`)).toBe(1);
  });

  it('is known to have been the outcome, and not that of another delivery', async () => {
    await using queue = await setup(url);
    await queue.enqueue('a');
    await queue.client.hset(`${queue.base}a`, { ats: 2, 'nightshift:state': 'discarded' });
    expect(await queue.run('outcomeStored', 'a', 2, 'discarded', 'nightshift:attempt:2', '')).toBe(1);
    expect(await queue.run('outcomeStored', 'a', 1, 'discarded', 'nightshift:attempt:1', '')).toBe(0);
    expect(await queue.run('outcomeStored', 'a', 2, 'completed', 'nightshift:attempt:2', '')).toBe(0);
    expect(await queue.run('outcomeStored', 'gone', 1, 'completed', 'nightshift:attempt:1', '')).toBe(-1);
  });
});
