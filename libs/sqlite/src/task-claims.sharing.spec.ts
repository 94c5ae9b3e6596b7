import type { ClaimRequest } from 'nestjs-nightshift';
import { expect, it } from 'vitest';
import { newTask, openStorage } from './store.fixture.js';

const unbounded = { capacity: undefined, fullMode: 'wait' } as const;

async function setup({ tasks }: { tasks: number }) {
  const storage = await openStorage();
  const workers = await Promise.all([storage.register('one', 0), storage.register('other', 0)]);
  for (let i = 0; i < tasks; i += 1) await storage.insert(newTask(), unbounded);
  const claim = async (worker: number, overrides: Partial<ClaimRequest> = {}): Promise<number> => {
    const common = { queue: 'default', definitions: ['wrap'], nowMs: 1_000, rateLimit: undefined };
    const { tasks } = await storage.claim({ ...common, worker, places: () => 10, ...overrides });
    return tasks.length;
  };
  return { storage, one: workers[0], other: workers[1], claim };
}

it('gives nothing to a worker that others have declared dead, and everything to the others', async () => {
  const { storage, one, other, claim } = await setup({ tasks: 3 });
  await storage.recover([one], 1_000, 10);
  expect(await claim(one)).toBe(0);
  expect(await claim(other)).toBe(3);
});

it('counts what another process has begun when the clock of that one is a little ahead', async () => {
  const { one, other, claim } = await setup({ tasks: 9 });
  const rateLimit = { max: 4, perMs: 100 };
  expect(await claim(one, { rateLimit, nowMs: 1_003 })).toBe(4);
  expect(await claim(other, { rateLimit, nowMs: 1_000 })).toBe(0);
  expect(await claim(other, { rateLimit, nowMs: 1_103 })).toBe(4);
});

it('does not wait for the old time to come when the clock has been set back', async () => {
  const { one, claim } = await setup({ tasks: 9 });
  const rateLimit = { max: 4, perMs: 100 };
  expect(await claim(one, { rateLimit, nowMs: 3_600_000 })).toBe(4);
  expect(await claim(one, { rateLimit, nowMs: 1_000 })).toBe(4);
});
