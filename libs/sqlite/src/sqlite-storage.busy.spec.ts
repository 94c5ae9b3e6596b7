import { expect, it } from 'vitest';
import { SqliteBusyError } from './errors.js';
import { connect, newFile, newTask, openStorage } from './store.fixture.js';

const unbounded = { capacity: undefined, fullMode: 'wait' } as const;

async function setup({ patienceMs }: { patienceMs: number }) {
  const file = newFile();
  const storage = await openStorage(file, patienceMs);
  const other = await connect(file);
  other.exec('BEGIN IMMEDIATE');
  return { storage, other };
}

/** Resolves after so many turns of the event loop: never, if something blocks it. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

it('waits while another connection writes, without blocking the event loop, and then stores', async () => {
  const { storage, other } = await setup({ patienceMs: 10_000 });
  const stored = storage.insert(newTask(), unbounded);
  await turns(1_000);
  expect((await storage.counts('default')).waiting).toBe(0); // and whoever reads need not wait
  other.exec('COMMIT');
  expect((await stored).kind).toBe('added');
});

it('gives up when another connection does not let go, stores nothing, and goes on when it has', async () => {
  const { storage, other } = await setup({ patienceMs: 20 });
  const refused = await storage.insert(newTask(), unbounded).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(SqliteBusyError);
  expect((refused as Error).message).toContain('Nothing was stored');
  other.exec('COMMIT');
  await storage.insert(newTask(), unbounded);
  expect((await storage.counts('default')).waiting).toBe(1);
});
