import { expect, it } from 'vitest';
import { SqliteNewerVersionError } from './errors.js';
import { migrate, schemaVersion, versionOf } from './schema.js';
import { connect } from './store.fixture.js';

async function setup() {
  const connection = await connect(':memory:');
  const tables = () =>
    (connection.prepare('SELECT name FROM sqlite_schema').all() as { name: string }[]).map(
      ({ name }) => name,
    );
  return { connection, tables };
}

it('makes the tables, all with names of their own', async () => {
  const { connection, tables } = await setup();
  connection.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY)');
  expect(versionOf(connection)).toBe(0);
  migrate(connection, 'tasks.db');
  expect(versionOf(connection)).toBe(schemaVersion);
  const others = tables().filter((name) => !/^(nightshift_|sqlite_)/.test(name));
  expect(others).toEqual(['orders']);
});

it('does nothing the second time, also while somebody else writes', async () => {
  const { connection, tables } = await setup();
  migrate(connection, 'tasks.db');
  const before = tables();
  connection.exec('BEGIN IMMEDIATE');
  migrate(connection, 'tasks.db');
  connection.exec('COMMIT');
  expect(tables()).toEqual(before);
});

it('refuses tables of a newer release, and leaves them alone', async () => {
  const { connection } = await setup();
  migrate(connection, 'tasks.db');
  connection.exec(`UPDATE nightshift_schema SET version = ${schemaVersion + 1}`);
  expect(() => migrate(connection, 'tasks.db')).toThrow(SqliteNewerVersionError);
  expect(versionOf(connection)).toBe(schemaVersion + 1);
  connection.exec('BEGIN IMMEDIATE'); // so no transaction is open
  connection.exec('ROLLBACK');
});

it('leaves nothing behind when it fails half way', async () => {
  const { connection, tables } = await setup();
  connection.exec('CREATE TABLE nightshift_log (x)');
  expect(() => migrate(connection, 'tasks.db')).toThrow(/nightshift_log/);
  expect(tables()).toEqual(['nightshift_log']);
});
