import { expect, it } from 'vitest';
import { SqliteBusyError, SqliteTransactionError } from './errors.js';
import { connect, newFile, newTask, openStorage } from './store.fixture.js';

const unbound = { capacity: undefined, fullMode: 'wait' } as const;

async function setup() {
  const file = newFile();
  const storage = await openStorage(file);
  const connection = await connect(file);
  connection.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY) STRICT');
  const waiting = async () => (await storage.counts('default')).waiting;
  return { file, storage, connection, waiting };
}

it('adds the task when the transaction is committed, together with what else is in it', async () => {
  const { storage, connection, waiting } = await setup();
  connection.exec('BEGIN');
  connection.exec('INSERT INTO orders VALUES (7)');
  const outcome = await storage.insertWithin(connection, newTask(), unbound);
  expect(outcome.kind).toBe('added');
  expect(await waiting()).toBe(0);
  connection.exec('COMMIT');
  expect(await waiting()).toBe(1);
  expect(await storage.state('default', (outcome as { id: string }).id)).toBe('waiting');
});

it('adds nothing when it is rolled back, and the counts stay right', async () => {
  const { storage, connection, waiting } = await setup();
  for (let times = 0; times < 2; times += 1) {
    connection.exec('BEGIN');
    await storage.insertWithin(connection, newTask(), unbound);
    connection.exec('ROLLBACK');
  }
  expect(await waiting()).toBe(0);
  connection.exec('BEGIN');
  await storage.insertWithin(connection, newTask(), unbound);
  connection.exec('COMMIT');
  expect(await waiting()).toBe(1);
});

it('finds a task with its key that is in the same transaction', async () => {
  const { storage, connection } = await setup();
  const task = newTask({ deduplication: { key: 'k', untilMs: undefined, onConflict: 'keep' } });
  connection.exec('BEGIN');
  const first = await storage.insertWithin(connection, task, unbound);
  const second = await storage.insertWithin(connection, task, unbound);
  connection.exec('COMMIT');
  expect(second).toMatchObject({ kind: 'duplicate', id: (first as { id: string }).id });
});

it('refuses a connection on which no transaction is open', async () => {
  const { storage, connection, waiting } = await setup();
  await expect(storage.insertWithin(connection, newTask(), unbound)).rejects.toThrow(SqliteTransactionError);
  expect(await waiting()).toBe(0);
});

it('refuses a connection to another file', async () => {
  const { storage } = await setup();
  const elsewhere = await connect(newFile());
  elsewhere.exec('BEGIN');
  await expect(storage.insertWithin(elsewhere, newTask(), unbound)).rejects.toThrow(SqliteTransactionError);
});

it('refuses a connection to another file that has the tables as well', async () => {
  const { storage } = await setup();
  const other = newFile();
  await openStorage(other);
  const elsewhere = await connect(other);
  elsewhere.exec('BEGIN');
  await expect(storage.insertWithin(elsewhere, newTask(), unbound)).rejects.toThrow(SqliteTransactionError);
});

it.each([undefined, null, 7, {}, { prepare: 1 }])(
  'refuses %o, which is no connection',
  async (transaction) => {
    const { storage } = await setup();
    await expect(storage.insertWithin(transaction, newTask(), unbound)).rejects.toThrow(
      SqliteTransactionError,
    );
  },
);

it('refuses a connection that is closed', async () => {
  const { file, storage } = await setup();
  const closed = {
    prepare: () => {
      throw new Error('closed');
    },
    exec: () => {},
    close: () => {},
    file,
  };
  await expect(storage.insertWithin(closed, newTask(), unbound)).rejects.toThrow(SqliteTransactionError);
});

it('says that it is the turn of somebody else when the transaction cannot begin to write', async () => {
  const { file, storage, connection } = await setup();
  const writer = await connect(file);
  writer.exec('BEGIN IMMEDIATE');
  connection.exec('BEGIN');
  await expect(storage.insertWithin(connection, newTask(), unbound)).rejects.toThrow(SqliteBusyError);
  connection.exec('ROLLBACK');
  writer.exec('ROLLBACK');
});
