import { expect, it, vi } from 'vitest';
import { loadPg, type PostgresClient } from './driver.js';
import { openDatabase } from './open-database.js';

vi.mock('./driver.js', () => ({ loadPg: vi.fn<typeof loadPg>() }));

interface Answer {
  readonly isolation?: string;
  readonly encoding?: string;
  /** No connection comes about. */
  readonly fails?: Error;
}

/** Pools that are answered so, one after the other. */
function setup(...answers: Answer[]) {
  const pools: { options: Record<string, unknown>; isEnded: boolean }[] = [];
  class Pool {
    readonly options: Record<string, unknown>;
    isEnded = false;
    private readonly answer = answers[pools.length]!;

    constructor(options: Record<string, unknown>) {
      this.options = options;
      pools.push(this);
    }

    on(): void {}

    // oxlint-disable-next-line require-await -- which fails as a promise does
    async connect(): Promise<PostgresClient> {
      const { fails, encoding = 'UTF8', isolation = 'read committed' } = this.answer;
      if (fails !== undefined) throw fails;
      return {
        query: () => Promise.resolve({ rows: [{ encoding, isolation }] }),
        connectionParameters: { options: '-c geqo=off' },
        release() {},
        on() {},
        off() {},
      };
    }

    end(): Promise<void> {
      this.isEnded = true;
      return Promise.resolve();
    }
  }
  vi.mocked(loadPg).mockResolvedValue({ Pool } as unknown as Awaited<ReturnType<typeof loadPg>>);
  return { pools, open };
}

const open = (connectionString: string) =>
  openDatabase({ source: { connectionString }, server: 'db/shop', schema: 'nightshift' });

const asked = '-c geqo=off -c default_transaction_isolation=read\\ committed';

it('asks the server for nothing when transactions are as they have to be', async () => {
  const { pools, open } = setup({});
  await open('postgres://db/shop');
  expect(pools).toMatchObject([{ isEnded: false, options: { connectionString: 'postgres://db/shop' } }]);
  expect(pools[0]!.options['options']).toBeUndefined();
});

it.each([
  ['postgres://db/shop', `postgres://db/shop?options=${encodeURIComponent(asked)}`],
  ['postgres://db/shop?ssl=true', `postgres://db/shop?ssl=true&options=${encodeURIComponent(asked)}`],
  ['/run/postgresql shop', '/run/postgresql shop'],
])('asks for read committed, beside what %s asks for, when they are not', async (given, connectionString) => {
  const { pools, open } = setup({ isolation: 'serializable' }, {});
  await open(given);
  expect(pools).toMatchObject([
    { isEnded: true },
    { isEnded: false, options: { connectionString, options: asked } },
  ]);
});

it.each<[string, Answer, boolean]>([
  ['keeps that to itself', { isolation: 'serializable' }, false],
  ['refuses it', { fails: new Error('unsupported startup parameter') }, true],
])('says what to do when a pooler %s', async (_, answer, hasCause) => {
  const { pools, open } = setup({ isolation: 'serializable' }, answer);
  const error: unknown = await open('postgres://db/shop').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'POSTGRES_ISOLATION', isolation: 'serializable' });
  expect('cause' in (error as Error)).toBe(hasCause);
  expect(pools.map(({ isEnded }) => isEnded)).toEqual([true, true]);
});

it.each(['LATIN1', 'SQL_ASCII'])('refuses a database in %s', async (encoding) => {
  const { pools, open } = setup({ encoding });
  await expect(open('postgres://db/shop')).rejects.toMatchObject({ code: 'POSTGRES_ENCODING', encoding });
  expect(pools[0]!.isEnded).toBe(true);
});
