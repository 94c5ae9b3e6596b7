import { expect, it } from 'vitest';
import { SqliteBusyError, SqliteNewerVersionError } from './errors.js';
import { fromPlainError, toPlainError } from './plain-error.js';

/** To another thread and back. */
const sent = (error: unknown): Error => fromPlainError(structuredClone(toPlainError(error)));

it('brings an error of this library to another thread, with its class, fields and causes', () => {
  const busy = new SqliteBusyError('tasks.db', 7, {
    cause: Object.assign(new Error('database is locked'), { errcode: 5 }),
  });
  const error = sent(busy);
  expect(error).toBeInstanceOf(SqliteBusyError);
  expect(error).toMatchObject({ code: 'SQLITE_FILE_BUSY', file: 'tasks.db', message: busy.message });
  expect(error.stack).toBe(busy.stack);
  expect(error.name).toBe('SqliteBusyError');
  expect(error.cause).toBeInstanceOf(Error);
  expect(error.cause).toMatchObject({ message: 'database is locked', errcode: 5 });
  expect(sent(new SqliteNewerVersionError('tasks.db', 2, 1))).toMatchObject({ found: 2, known: 1 });
});

it('makes a plain error of one that it does not know', () => {
  class Another extends Error {
    readonly query = 'SELECT 1';
    readonly run = () => 1;
  }
  const error = sent(new Another('failed'));
  expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
  expect(error).toMatchObject({ message: 'failed', query: 'SELECT 1' });
});

it.each(['a text', undefined, null, 7])('makes an error of %o, which is none', (thrown) => {
  expect(sent(thrown)).toMatchObject({ name: 'Error', message: String(thrown) });
});
