import { systemClock } from 'nestjs-nightshift/channels';
import type { BackgroundEngine } from 'nestjs-nightshift';
import { BackgroundEvents } from 'nestjs-nightshift';
import { bullmqEngine } from 'nestjs-nightshift/bullmq';
import { expect, it, vi } from 'vitest';
import { describeWithService } from '../service.js';
import { freshPrefix, redis, removeKeys, withClient } from './redis.js';

const service = 'cleanup';
const [first, second] = [1_000_000, 2_000_000];

async function setup(url: string, processes = 2) {
  const prefix = freshPrefix();
  const engines: BackgroundEngine[] = [];
  for (let i = 0; i < processes; i += 1) {
    const engine = bullmqEngine({ connection: url, prefix, lease: '1s', pollInterval: '50ms' });
    await engine.open({ clock: systemClock, events: new BackgroundEvents(systemClock) } as never);
    engines.push(engine);
  }
  return {
    storages: engines.map(({ occurrences }) => occurrences!),
    /** The lease of every process is over. */
    killAll: () =>
      withClient(url, async (client) => {
        const [, keys] = await client.scan('0', { MATCH: `${prefix}::nightshift:process:*`, COUNT: 100_000 });
        await client.del(...keys);
      }),
    [Symbol.asyncDispose]: async () => {
      for (const engine of engines) await engine.close();
      await removeKeys(url, prefix);
    },
  };
}

await describeWithService(redis, 'occurrences of services, on Redis', (url) => {
  it('are claimed by one process, which gets the same answer again', async () => {
    await using app = await setup(url, 3);
    const claims = await Promise.all(app.storages.map((each) => each.claim({ service, dueAtMs: first })));
    expect(claims.filter(Boolean)).toHaveLength(1);
    const winner = app.storages[claims.indexOf(true)]!;
    expect(await winner.claim({ service, dueAtMs: first })).toBe(true);
    expect(await winner.latest(service)).toBe(first);
  });

  it('only go forward', async () => {
    await using app = await setup(url);
    const [one, other] = app.storages as [(typeof app.storages)[0], (typeof app.storages)[0]];
    expect(await one.latest(service)).toBeUndefined();
    expect(await one.claim({ service, dueAtMs: second })).toBe(true);
    expect(await other.claim({ service, dueAtMs: first })).toBe(false);
    await one.complete({ service, dueAtMs: second });
    expect(await other.claim({ service, dueAtMs: second })).toBe(false);
    expect(await other.latest(service)).toBe(second);
  });

  it('that are given back can be claimed once more, and the others are told', async () => {
    await using app = await setup(url);
    const [one, other] = app.storages as [(typeof app.storages)[0], (typeof app.storages)[0]];
    const told = vi.fn<() => void>();
    const end = other.onReleased(told);
    await one.claim({ service, dueAtMs: first });
    await one.complete({ service, dueAtMs: first });
    await one.claim({ service, dueAtMs: second });
    await vi.waitFor(async () => expect(await other.latest(service)).toBe(second));
    await one.release({ service, dueAtMs: second });
    expect(await other.latest(service)).toBe(first);
    await vi.waitFor(() => expect(told).toHaveBeenCalled());
    expect(await other.claim({ service, dueAtMs: second })).toBe(true);
    expect(await one.claim({ service, dueAtMs: second })).toBe(false);
    end();
  });

  it('of a process that died are given back, and what it says of them later does not count', async () => {
    await using app = await setup(url);
    const [one, other] = app.storages as [(typeof app.storages)[0], (typeof app.storages)[0]];
    await one.claim({ service, dueAtMs: first });
    await app.killAll();
    expect(await other.claim({ service, dueAtMs: first })).toBe(true);
    await one.release({ service, dueAtMs: first });
    expect(await other.latest(service)).toBe(first);
  });
});
