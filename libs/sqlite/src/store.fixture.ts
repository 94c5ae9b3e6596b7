import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewTask } from 'nestjs-nightshift';
import { onTestFinished } from 'vitest';
import { loadDriver, type SqliteConnection } from './driver.js';
import { SqliteStorage } from './sqlite-storage.js';

/** The name of a file that is not there yet, and is gone after the test. */
export function newFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nightshift-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, 'tasks.db');
}

/** A storage that is open, until the test ends. */
export async function openStorage(file = newFile(), patienceMs = 1_000): Promise<SqliteStorage> {
  const storage = new SqliteStorage({ file, synchronous: 'normal', patienceMs, isThreaded: false });
  await storage.open();
  onTestFinished(() => storage.close());
  return storage;
}

/** A connection of somebody else's. */
export async function connect(file: string): Promise<SqliteConnection> {
  const DatabaseSync = await loadDriver();
  const connection = new DatabaseSync(file, { timeout: 0 });
  onTestFinished(() => connection.close());
  return connection;
}

export function newTask(overrides: Partial<NewTask> = {}): NewTask {
  return {
    queue: 'default',
    name: 'wrap',
    definition: 'wrap',
    payload: undefined,
    priority: 0,
    enqueuedAtMs: 0,
    dueAtMs: undefined,
    expiresAtMs: undefined,
    deduplication: undefined,
    concurrencyKey: undefined,
    concurrencyLimit: 1,
    options: undefined,
    tags: [],
    metadata: undefined,
    maxAttempts: 1,
    ...overrides,
  };
}
