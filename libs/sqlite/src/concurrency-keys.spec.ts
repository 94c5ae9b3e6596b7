import type { ClaimRequest } from 'nestjs-nightshift';
import { expect, it } from 'vitest';
import { connect, newFile, newTask, openStorage } from './store.fixture.js';

async function setup() {
  const file = newFile();
  const storage = await openStorage(file);
  const worker = await storage.register('process', 0);
  const claim = (places: number): ReturnType<typeof storage.claim> => {
    const request = { queue: 'default', worker, places: () => places, definitions: ['wrap'], nowMs: 0 };
    return storage.claim({ ...request, rateLimit: undefined } satisfies ClaimRequest);
  };
  const connection = await connect(file);
  const held = (): number =>
    (
      connection.prepare('SELECT count(*) AS tasks FROM nightshift_tasks WHERE held IS NOT NULL').get() as {
        tasks: number;
      }
    ).tasks;
  return { storage, worker, claim, held, connection };
}

it('leaves what is held for its key alone at a sign of life when the key has no room', async () => {
  const { storage, worker, claim, held } = await setup();
  for (let i = 0; i < 3; i += 1)
    await storage.insert(newTask({ concurrencyKey: 'oven' }), { capacity: undefined, fullMode: 'wait' });
  expect((await claim(3)).tasks).toHaveLength(1);
  expect(held()).toBe(2);

  await storage.beat(worker);
  expect(held()).toBe(2);
});

it('releases one of a key at a sign of life when the key has room that nobody has used', async () => {
  const { storage, worker, claim, held, connection } = await setup();
  for (let i = 0; i < 3; i += 1)
    await storage.insert(newTask({ concurrencyKey: 'oven' }), { capacity: undefined, fullMode: 'wait' });
  await claim(3);
  // As if its end had been lost.
  connection.prepare("UPDATE nightshift_tasks SET concurrency_key = NULL WHERE state = 'active'").run();

  await storage.beat(worker);
  expect(held()).toBe(1);
});
