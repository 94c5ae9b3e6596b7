import type { QueueBound } from 'nestjs-nightshift';
import { expect, it } from 'vitest';
import { newTask, openStorage } from './store.fixture.js';

const deduplication = { key: 'cake', untilMs: undefined, onConflict: 'replace' } as const;

async function setup(fullMode: QueueBound['fullMode']) {
  const storage = await openStorage();
  const bound = { capacity: 1, fullMode };
  const first = await storage.insert(newTask({ deduplication, dueAtMs: 5_000 }), bound);
  await storage.insert(newTask(), bound); // and now the queue is full
  const second = await storage.insert(newTask({ deduplication }), bound);
  if (first.kind !== 'added') throw new Error(first.kind);
  return { second, stateOfFirst: await storage.state('default', first.id) };
}

it('leaves the first task in place when the one that is to replace it has to wait for room', async () => {
  const { second, stateOfFirst } = await setup('wait');
  expect(second.kind).toBe('full');
  expect(stateOfFirst).toBe('scheduled');
});

it('leaves the first task in place when the one that is to replace it is dropped', async () => {
  const { second, stateOfFirst } = await setup('dropWrite');
  expect(second.kind).toBe('dropped');
  expect(stateOfFirst).toBe('scheduled');
});

it('replaces the first task when it is itself what fills the queue', async () => {
  const storage = await openStorage();
  const bound = { capacity: 1, fullMode: 'wait' } as const;
  const first = await storage.insert(newTask({ deduplication }), bound);
  const second = await storage.insert(newTask({ deduplication }), bound);
  expect(second).toMatchObject({ kind: 'added', replaced: { id: 'id' in first && first.id } });
});
