import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { SqliteBusyError, SqliteCorruptError, SqliteNewerVersionError, SqliteOpenError } from './errors.js';
import { openStore } from './open-store.js';
import type { SqliteStore } from './sqlite-store.js';
import { connect, newFile } from './store.fixture.js';

async function open(file: string, patienceMs = 10_000): Promise<SqliteStore> {
  const store = await openStore({ file, synchronous: 'full', patienceMs });
  onTestFinished(() => store.close());
  return store;
}

it('waits, without blocking anything, while somebody else is making the file', async () => {
  const file = newFile();
  const other = await connect(file);
  other.exec('BEGIN EXCLUSIVE');
  other.exec('CREATE TABLE their_own (id INTEGER)');
  const opened = open(file);
  setImmediate(() => setImmediate(() => other.exec('COMMIT'))); // runs only if nothing blocks
  expect((await opened).reads.counts('default').waiting).toBe(0);
});

it('tells for how long it has waited when somebody else does not let go', async () => {
  const file = newFile();
  (await connect(file)).exec('BEGIN EXCLUSIVE');
  const failure = await open(file, 20).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(SqliteBusyError);
  const waitedMs = Number(/locked for (\d+) ms/.exec((failure as Error).message)![1]);
  expect(waitedMs).toBeGreaterThanOrEqual(20);
  expect(waitedMs).toBeLessThan(5_000);
});

it('refuses tables of a newer release, and leaves them alone', async () => {
  const file = newFile();
  await open(file);
  const other = await connect(file);
  other.exec('UPDATE nightshift_schema SET version = 99');
  const failure = await open(file).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(SqliteNewerVersionError);
  expect((failure as Error).message).toContain('version 99');
  expect(other.prepare('SELECT version FROM nightshift_schema').get()).toEqual({ version: 99 });
});

it('refuses a file that is no database, and leaves it alone', async () => {
  const file = newFile();
  writeFileSync(
    file,
    'Dear diary, this is no database, and it is long enough to be seen as such.'.repeat(20),
  );
  await expect(open(file)).rejects.toThrow(SqliteCorruptError);
});

it('says that the directory has to exist when it does not', async () => {
  const file = join(dirname(newFile()), 'nowhere', 'tasks.db');
  const failure = await open(file).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(SqliteOpenError);
  expect((failure as Error).message).toContain('Its directory has to exist');
});

it('says that it is a directory when it is one', async () => {
  await expect(open(dirname(newFile()))).rejects.toThrow(SqliteOpenError);
});
