import { describe, expect, it } from 'vitest';
import type { ChangeFeed } from './change-feed.js';
import type { Database } from './database.js';
import { PostgresPermissionError } from './errors.js';
import { GraphileJobs } from './graphile-jobs.js';

const coded = (code: string): Error => Object.assign(new Error(`from pg: ${code}`), { code });

/** Jobs that cannot be taken over as long as there is a failure. */
function setup() {
  const feed = { jobsVersion: 1 };
  const server = { failure: undefined as Error | undefined, looks: 0 };
  const told: unknown[] = [];
  const connection = { query: () => Promise.resolve({ rows: [{ taken: '0', next_in_ms: null }] }) };
  const database = {
    schema: 'nightshift',
    transaction: (work: (given: typeof connection) => unknown) => {
      server.looks += 1;
      return server.failure ? Promise.reject(server.failure) : work(connection);
    },
  };
  const jobs = new GraphileJobs(
    database as never as Database,
    'graphile_worker',
    feed as ChangeFeed,
    { of: () => [{ definition: 'bake', maxAttempts: 1 }] },
    (during, error) => told.push(during, error),
  );
  const takeOver = (nowMs: number) => jobs.takeOver({ queue: 'default', nowMs });
  /** Looks as often as it is to. @returns when */
  const lookFor = async (durationMs: number, fromMs = 0): Promise<number[]> => {
    const at: number[] = [];
    for (let nowMs = fromMs; nowMs < fromMs + durationMs; nowMs = (await takeOver(nowMs)) ?? Infinity)
      at.push(nowMs);
    return at;
  };
  return { feed, server, told, takeOver, lookFor };
}

describe('GraphileJobs', () => {
  it('looks when something was heard, and not otherwise', async () => {
    const { feed, server, takeOver } = setup();
    for (let nowMs = 0; nowMs < 5; nowMs += 1) expect(await takeOver(nowMs)).toBeUndefined();
    expect(server.looks).toBe(1);
    feed.jobsVersion += 1;
    await takeOver(5);
    expect(server.looks).toBe(2);
  });

  it('tries again after a failure, less and less often, whatever is heard', async () => {
    const { feed, server, takeOver, lookFor } = setup();
    server.failure = coded('42883');
    expect(await lookFor(12_000)).toEqual([0, 100, 300, 700, 1_500, 3_100, 6_300, 11_300]);
    feed.jobsVersion += 1;
    expect(await takeOver(12_000)).toBe(16_300);
    server.failure = undefined;
    expect(await takeOver(16_300)).toBeUndefined();
    expect(server.looks).toBe(9);
  });

  it('tells the same failure once in ten minutes, and another one at once', async () => {
    const { server, told, lookFor } = setup();
    const missing = (server.failure = coded('42883'));
    await lookFor(590_000);
    expect(told).toEqual(['take over jobs', missing]);
    const other = (server.failure = coded('42703'));
    await lookFor(15_000, 600_000);
    expect(told.slice(2)).toEqual(['take over jobs', other]);
    await lookFor(1_200_000, 620_000);
    expect(told).toHaveLength(8);
  });

  it('tells of clashes with others when there have been several in a row', async () => {
    const { server, told, lookFor } = setup();
    server.failure = coded('55P03');
    await lookFor(1_500);
    expect(told).toEqual([]);
    await lookFor(1, 1_500);
    expect(told).toEqual(['take over jobs', server.failure]);
  });

  it('names the schema of graphile-worker when a permission is missing', async () => {
    const { server, told, takeOver } = setup();
    const cause = coded('42501');
    server.failure = new PostgresPermissionError('nightshift', { cause });
    await takeOver(0);
    expect(told[1]).toMatchObject({ code: 'GRAPHILE_NO_PERMISSION', schema: 'graphile_worker', cause });
  });
});
