import { expect, it } from 'vitest';
import { migrate } from '../../../libs/postgres/src/schema/migration.js';
import { describeWithService } from '../service.js';
import { newSchemas } from './application.js';
import { postgres } from './postgres.js';

/** The functions of the engine, called one by one, as its workers call them. */
async function setup(url: string) {
  const schemas = newSchemas(url);
  const { name } = schemas;
  const client = await schemas.pool.connect();
  await migrate(client, name);
  client.release();
  const [worker] = await schemas.query<{ id: string }>(
    `INSERT INTO ${name}.workers (beat, process, since) VALUES (0, 'x', 0) RETURNING id`,
  );
  const row = { queue: 'default', definition: 'bake', name: 'bake', priority: 0, maxAttempts: 1 };
  const request = { queue: 'default', worker: worker!.id, places: 1, definitions: ['bake'], nowMs: 1_000 };
  return {
    schemas,
    add: (changes: object = {}) =>
      schemas.query(`SELECT ${name}.add_task($1)`, [
        JSON.stringify({ ...row, nonce: 'n', enqueuedAtMs: 1, ...changes }),
      ]),
    claim: (changes: object = {}) =>
      schemas.query(`SELECT ${name}.work(NULL, NULL, NULL, NULL, $1, false)`, [
        JSON.stringify([{ ...request, ...changes }]),
      ]),
    /** What a claim gives, and whether it has written anything; it is taken back. */
    async tryClaim(changes: object = {}) {
      const connection = await schemas.pool.connect();
      try {
        await connection.query('BEGIN');
        const answered = await connection.query(
          `SELECT ${name}.work(NULL, NULL, NULL, NULL, $1, false)->'claims'->0 AS claim`,
          [JSON.stringify([{ ...request, ...changes }])],
        );
        const asked = await connection.query('SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS writes');
        const [{ claim }] = answered.rows as [{ claim: { batches: [seq: number][][] } }];
        const { batches, ...rest } = claim;
        const [{ writes }] = asked.rows as [{ writes: boolean }];
        return { ...rest, begun: batches.flat().map(([seq]) => seq), writes };
      } finally {
        await connection.query('ROLLBACK');
        connection.release();
      }
    },
    beat: () => schemas.query(`SELECT ${name}.beat($1)`, [worker!.id]),
    states: () =>
      schemas.query<{ state: string; held: string | null; xmin: string }>(
        `SELECT state, held, xmin::text FROM ${name}.tasks ORDER BY seq`,
      ),
  };
}

await describeWithService(postgres, 'what many workers do all the time', (url) => {
  const nothing = { begun: [], expired: [], parked: {}, nextAtMs: null, mayHaveMore: false };

  it('writes nothing when a claim finds nothing', async () => {
    const { add, tryClaim } = await setup(url);
    expect(await tryClaim()).toEqual({ ...nothing, writes: false });

    await add();
    expect(await tryClaim()).toMatchObject({ begun: [1], writes: true });
    expect(await tryClaim({ places: 0 })).toEqual({ ...nothing, writes: false });
    expect(await tryClaim({ queue: 'other' })).toEqual({ ...nothing, writes: false });
  });

  it('knows when to ask again when a claim finds nothing yet', async () => {
    const { add, tryClaim } = await setup(url);
    await add({ dueAtMs: 5_000 });
    await add({ expiresAtMs: 9_000, queue: 'other' });
    expect(await tryClaim()).toEqual({ ...nothing, nextAtMs: 5_000, writes: false });
    expect(await tryClaim({ nowMs: 5_000 })).toMatchObject({ begun: [1] });
    expect(await tryClaim({ queue: 'other', places: 0, nowMs: 9_000 })).toMatchObject({
      expired: [{ seq: 2 }],
    });
  });

  it('finds what was set aside for whoever has a handler', async () => {
    const { add, claim, tryClaim } = await setup(url);
    await add();
    await claim({ definitions: [] });
    expect(await tryClaim({ definitions: [] })).toEqual({ ...nothing, writes: false });
    expect(await tryClaim()).toMatchObject({ begun: [1] });
  });

  it('leaves what is held for its key alone at a sign of life, unless the key has room', async () => {
    const { schemas, add, claim, beat, states } = await setup(url);
    for (let i = 0; i < 2; i += 1) await add({ concurrencyKey: 'oven', concurrencyLimit: 1 });
    await claim({ places: 2 });
    const before = await states();
    expect(before).toMatchObject([
      { state: 'active', held: null },
      { state: 'waiting', held: 'concurrencyKey' },
    ]);
    await beat();
    expect(await states()).toEqual(before);

    // As if the end of the first had come between two transactions.
    await schemas.query(`UPDATE ${schemas.name}.tasks SET state = 'completed' WHERE state = 'active'`);
    await beat();
    expect((await states()).map(({ held }) => held)).toEqual([null, null]);
  });
});
