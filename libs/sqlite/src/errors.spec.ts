import { expect, it } from 'vitest';
import { explain, isBusy, SqliteCorruptError, SqliteReadOnlyError } from './errors.js';

const thrown = (fields: object, message = 'no words'): Error => Object.assign(new Error(message), fields);

it.each([
  ['node:sqlite', thrown({ code: 'ERR_SQLITE_ERROR', errcode: 517 })],
  ['@photostructure/sqlite', thrown({ code: 'ERR_SQLITE_ERROR', sqliteExtendedCode: 5 })],
  ['its all(), which gives no number', thrown({ code: 'ERR_SQLITE_ERROR' }, 'database is locked')],
  ['better-sqlite3', thrown({ code: 'SQLITE_BUSY_SNAPSHOT' })],
])('knows that it is somebody else’s turn when the error is one of %s', (_, error) => {
  expect(isBusy(error)).toBe(true);
});

it('says in words what a driver says by number or in the words of SQLite, and keeps what it does not know', () => {
  const damaged = thrown({ code: 'ERR_SQLITE_ERROR' }, 'database disk image is malformed');
  expect(explain(damaged, 'tasks.db')).toBeInstanceOf(SqliteCorruptError);
  expect(explain(thrown({ errcode: 1032 }), 'tasks.db')).toBeInstanceOf(SqliteReadOnlyError);
  const unknown = thrown({ code: 'ERR_SQLITE_ERROR' }, 'no such table: cakes');
  expect(explain(unknown, 'tasks.db')).toBe(unknown);
});
