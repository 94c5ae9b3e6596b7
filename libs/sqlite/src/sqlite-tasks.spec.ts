import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore } from './open-store.js';
import { openSqliteTasks } from './sqlite-tasks.js';

function createFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nightshift-tasks-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, 'tasks.db');
}

async function setup() {
  const file = createFile();
  const store = await openStore({ file, synchronous: 'full', patienceMs: 0 });
  onTestFinished(() => store.close());
  const add = (name: string) =>
    store.write(() =>
      store.writes.insert(
        {
          queue: 'mail',
          name,
          definition: 'send',
          payload: '{"to":"ada"}',
          priority: 0,
          enqueuedAtMs: 1_000,
          dueAtMs: undefined,
          expiresAtMs: undefined,
          deduplication: undefined,
          concurrencyKey: undefined,
          concurrencyLimit: 1,
          options: undefined,
          tags: [],
          metadata: undefined,
          maxAttempts: 1,
        },
        { capacity: undefined, fullMode: 'wait' },
      ),
    );
  return { file, add };
}

describe('openSqliteTasks', () => {
  it('shows what is in the file while an engine uses it', async () => {
    const { file, add } = await setup();
    add('first');
    await using tasks = await openSqliteTasks(file);
    add('second');
    expect(tasks.queues()).toEqual(['mail']);
    expect(tasks.counts('mail')).toMatchObject({ waiting: 2, completed: 0 });
    const page = tasks.search('mail', { limit: 1 });
    expect(page.tasks).toMatchObject([{ name: 'second', state: 'waiting' }]);
    const [first] = tasks.search('mail', { limit: 1, after: page.next }).tasks;
    expect(tasks.task('mail', first!.id)).toMatchObject({
      name: 'first',
      payload: { to: 'ada' },
      attempts: [],
    });
    expect(tasks.task('other', first!.id)).toBeUndefined();
  });

  it('writes nothing', async () => {
    const { file } = await setup();
    using tasks = await openSqliteTasks(file);
    // Private: what it could do if it tried.
    const { connection } = tasks as unknown as { connection: { exec(sql: string): void } };
    expect(() => connection.exec('DELETE FROM nightshift_tasks')).toThrow(/readonly/);
  });

  it.each([
    ['there is no file', () => {}, 'SQLITE_FILE_NOT_OPENED'],
    ['no engine has used the file', (file: string) => createTable(file), 'SQLITE_NO_TASKS'],
    ['a newer release has been there', (file: string) => createNewer(file), 'SQLITE_NEWER_VERSION'],
  ])('says so when %s', async (_, prepare, code) => {
    const file = createFile();
    prepare(file);
    await expect(openSqliteTasks(file)).rejects.toMatchObject({ code, file });
  });
});

function createTable(file: string): void {
  using database = new DatabaseSync(file);
  database.exec('CREATE TABLE sweets (name TEXT)');
}

function createNewer(file: string): void {
  using database = new DatabaseSync(file);
  database.exec('CREATE TABLE nightshift_schema (version INTEGER)');
  database.exec('INSERT INTO nightshift_schema VALUES (99)');
}
