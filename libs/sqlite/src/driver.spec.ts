import { expect, it } from 'vitest';
import { hasBuiltIn, loadDriver } from './driver.js';

it.each([
  ['20.19.0', false],
  ['22.12.9', false],
  ['22.13.0', true],
  ['22.20.1', true],
  ['23.0.0', true],
  ['24.1.0-nightly', true],
])('knows whether Node %s brings SQLite: %s', (version, has) => {
  expect(hasBuiltIn(version)).toBe(has);
});

it('finds a driver on this Node, with statements that give what was put in', async () => {
  const DatabaseSync = await loadDriver();
  const connection = new DatabaseSync(':memory:', {});
  connection.exec('CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT) STRICT');
  const { changes, lastInsertRowid } = connection.prepare('INSERT INTO texts (text) VALUES (?)').run('🌙');
  expect([Number(changes), Number(lastInsertRowid)]).toEqual([1, 1]);
  expect(connection.prepare('SELECT * FROM texts').all()).toMatchObject([{ id: 1, text: '🌙' }]);
  expect(connection.prepare('SELECT * FROM texts WHERE id = ?').get(2)).toBeUndefined();
  connection.close();
});
