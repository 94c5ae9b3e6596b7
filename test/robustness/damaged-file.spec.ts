import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { newFile, newTask, openStorage } from '../../libs/sqlite/src/store.fixture.js';

const unbounded = { capacity: undefined, fullMode: 'wait' } as const;

/** A file whose pages in the middle are garbage, from one part of its length to another. */
async function setup({ from, to }: { from: number; to: number }) {
  const file = newFile();
  const healthy = await openStorage(file);
  const payload = JSON.stringify('x'.repeat(900));
  await Promise.all(Array.from({ length: 300 }, () => healthy.insert(newTask({ payload }), unbounded)));
  await healthy.close(); // and the log is part of the file
  const bytes = readFileSync(file);
  bytes.fill(0xa5, Math.floor(bytes.length * from), Math.floor(bytes.length * to));
  writeFileSync(file, bytes);
  return file;
}

/** What comes of everything that is asked of it. */
async function useAll(file: string): Promise<readonly PromiseSettledResult<unknown>[]> {
  const storage = await openStorage(file);
  const worker = await storage.register('somebody', 0);
  const claim = { queue: 'default', worker, places: () => 300, definitions: ['wrap'], nowMs: 1_000 };
  const search = { states: undefined, limit: 1_000, after: undefined, order: 'newest' } as never;
  return Promise.allSettled([
    storage.insert(newTask(), unbounded),
    storage.claim({ ...claim, rateLimit: undefined }),
    storage.search('default', search),
    storage.counts('default'),
    storage.beat(worker),
  ]);
}

it.each([
  { from: 0.2, to: 0.3 },
  { from: 0.45, to: 0.55 },
  { from: 0.8, to: 1 },
])('says what to do, in one coded error, when the file is damaged from $from to $to', async (damage) => {
  const file = await setup(damage);
  const results = await useAll(file).catch((reason: unknown) => [{ status: 'rejected' as const, reason }]);
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(failures.length).toBeGreaterThan(0);
  for (const failure of failures) {
    expect(failure).toMatchObject({ code: 'SQLITE_FILE_CORRUPT' });
    expect(failure.message).toContain('Restore it from a backup');
  }
});
