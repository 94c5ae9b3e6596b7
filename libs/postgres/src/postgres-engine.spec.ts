import { expect, it } from 'vitest';
import { postgresEngine, type PostgresEngineOptions } from './postgres-engine.js';

const connectionString = 'postgres://ada:secret@db:5432/shop';

it.each<[string, unknown, RegExp]>([
  ['neither place is given', {}, /connectionString/],
  ['both are given', { connectionString, pool: { connect() {}, totalCount: 0 } }, /one of the two/],
  ['the pool is none', { pool: {} }, /a pg.Pool/],
  ['the pool is too small', { pool: { connect() {}, totalCount: 0, options: { max: 2 } } }, /4 or more/],
  ['the schema has no name', { connectionString, schema: '' }, /schema/],
  [
    'the schema has a name that PostgreSQL would cut',
    { connectionString, schema: 'x'.repeat(64) },
    /63 bytes/,
  ],
  ['the schema has a name that ends a function', { connectionString, schema: 'a$$b' }, /\$\$/],
  ['the schema has a name of PostgreSQL itself', { connectionString, schema: 'pg_shop' }, /pg_/],
  ['the schema has half of a character in its name', { connectionString, schema: 'x\ud800' }, /schema/],
  [
    'the schema of graphile-worker has a name that it would change',
    { connectionString, graphile: { schema: 'g$&b' } },
    /without a \$ before/,
  ],
  ['graphile is something else', { connectionString, graphile: true }, /'none'/],
  ['an option is unknown', { connectionString, tables: 'x' }, /tables/],
])('throws when %s', (_, options, message) => {
  expect(() => postgresEngine(options as PostgresEngineOptions)).toThrow(message);
});

it('keeps what it accepts', () => {
  const { name, capabilities } = postgresEngine({ connectionString, schema: 'work', graphile: 'none' });
  expect([name, capabilities.durable]).toEqual(['postgres', true]);
});
