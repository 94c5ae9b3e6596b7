import {
  inTurns,
  type About,
  type Effort,
  type Prepared,
  type Repeatable,
  type Row,
  type Skipped,
} from './comparison.js';
import { byCallers, callers, durably } from './durable-work.js';
import { atMostTimes } from './goal.js';

/** Something that takes tasks, and works them off if it has a worker. */
interface Store {
  enqueue(): Promise<unknown>;
  enqueueMany(amount: number): Promise<unknown>;
  /** Removes what waits. Of one without a worker. */
  clear(): Promise<unknown>;
  /** Resolves when so many more are completed. Called before they are enqueued. */
  workOff(amount: number): Promise<unknown>;
  close(): Promise<void>;
}

interface Opener {
  readonly name: string;
  open(hasWorker: boolean): Promise<Store | Skipped>;
}

/** One library, bare and through ours. */
interface Pair {
  /** Of the rows, for the command line. */
  readonly id: string;
  readonly title: string;
  /** How both are set up, for a reader who doubts it. */
  readonly setup: string;
  readonly amount: number;
  /** As many in one call. */
  readonly bulkAmount: number;
  readonly bulkCall: string;
  readonly call: string;
  readonly ours: Opener;
  readonly bare: Opener;
  /** The other library used in another way, which tells where the cost is. */
  readonly reference?: Opener;
  readonly bound?: string;
}

/** What it costs to use another library through ours. */
export function throughRows(): Row[] {
  return [bullmq, postgres].flatMap((pair) => [enqueueRow(pair), completedRow(pair), bulkRow(pair)]);
}

function enqueueRow(pair: Pair): Row {
  const about = {
    id: `${pair.id}-enqueue`,
    title: `${pair.title}: a task enqueued, by ${callers} callers at once`,
    how:
      `${callers} callers, each of which awaits that its task is stored before it enqueues the next: \`enqueue()\` against ` +
      `\`${pair.call}\`, 190 bytes of payload. Nothing is worked off meanwhile. ${pair.setup}`,
  };
  return compare(about, pair, (open, effort) =>
    cost(pair.amount * effort.scale, (amount) => byCallers(amount, open.enqueue), open),
  );
}

function completedRow(pair: Pair): Row {
  const about = {
    id: `${pair.id}-completed`,
    title: `${pair.title}: a task from enqueue to completed`,
    how: `The same, and worked off meanwhile by a handler that does nothing, until the last is completed in the store. ${pair.setup}`,
  };
  return compare(about, pair, (open, effort) => {
    const run = (amount: number): Promise<unknown> =>
      Promise.all([open.workOff(amount), byCallers(amount, open.enqueue)]);
    return cost(pair.amount * effort.scale, run, { close: open.close });
  });
}

function bulkRow(pair: Pair): Row {
  const about = {
    id: `${pair.id}-bulk`,
    title: `${pair.title}: a task from enqueue to completed, all enqueued in one call`,
    how: `\`enqueueMany()\` against \`${pair.bulkCall}\`, worked off as above. ${pair.setup}`,
  };
  return compare(about, pair, (open, effort) => {
    const run = (amount: number): Promise<unknown> =>
      Promise.all([open.workOff(amount), open.enqueueMany(amount)]);
    return cost(pair.bulkAmount * effort.scale, run, { close: open.close });
  });
}

type Words = Pick<About, 'id' | 'title' | 'how'>;

function compare(words: Words, pair: Pair, measured: (open: Store, effort: Effort) => Prepared): Row {
  const { ours, bare, reference, bound } = pair;
  const hasWorker = !words.id.endsWith('-enqueue');
  const contender = ({ name, open }: Opener, rest: Pick<Repeatable, 'role' | 'goal'>): Repeatable => ({
    name,
    ...rest,
    async prepare(effort) {
      const store = await open(hasWorker);
      return 'skipped' in store ? store : measured(store, effort);
    },
  });
  return inTurns({ ...words, unit: 'us/task', better: 'lower', ...(bound !== undefined && { bound }) }, [
    contender(ours, { role: 'ours' }),
    contender(bare, { role: 'peer', goal: atMostTimes(1.1) }),
    ...(reference === undefined ? [] : [contender(reference, { role: 'reference' })]),
  ]);
}

function cost(
  amount: number,
  run: (amount: number) => Promise<unknown>,
  ends: Parameters<typeof durably>[2],
): Prepared {
  const { sample, ...rest } = durably(amount, run, ends);
  return { ...rest, sample: async () => 1_000 / (await sample()) };
}

const appendfsync = 'everysec';
const kept = { ageSeconds: 86_400, count: 10_000 } as const;

const bullmq: Pair = {
  id: 'through-bullmq',
  title: 'BullMQ through Nightshift',
  setup:
    'Both on a Redis of their own on this machine with `appendfsync everysec`, both with a concurrency of 100, and both keep ' +
    'the last 10,000 that are completed, for a day.',
  amount: 10_000,
  bulkAmount: 10_000,
  call: 'add()',
  bulkCall: 'addBulk()',
  ours: { name: '`bullmqEngine()`', open: openOursOnRedis },
  bare: {
    name: 'BullMQ',
    open: (hasWorker) => openBareBullmq({ hasWorker }),
  },
  reference: {
    name: 'BullMQ, each job with a `priority`',
    open: (hasWorker) => openBareBullmq({ hasWorker, priority: 5 }),
  },
  bound:
    'Two things. Every task is a job with a priority, since tasks without one have to come after those with a smaller number, ' +
    'and BullMQ knows nothing before a job without: 2 to 9 µs in a run of these rows alone. And what a task is given that a job ' +
    'is not, in the process that shares two cores with the server: another 2 µs when it is enqueued, and 10 to 16 µs by its ' +
    'end. The faster the machine, the more of the whole that is.',
};

async function openBareBullmq(setup: {
  readonly hasWorker: boolean;
  readonly priority?: number;
}): Promise<Store | Skipped> {
  const { openBullmq } = await import('./durable-bullmq.js');
  const { ageSeconds: age, count } = kept;
  return openBullmq({ ...setup, appendfsync, removeOnComplete: { age, count } });
}

async function openOursOnRedis(hasWorker: boolean): Promise<Store | Skipped> {
  const { bullmqEngine } = await import('nestjs-nightshift/bullmq');
  const { openQueueOn } = await import('./open-durable-queue.js');
  const { openRedis } = await import('./own-redis.js');
  const redis = await openRedis(appendfsync);
  if ('skipped' in redis) return redis;
  const retention = { completed: { age: kept.ageSeconds * 1_000, count: kept.count } };
  const open = await openQueueOn(bullmqEngine({ connection: redis.url }), { retention });
  return toStore(open, hasWorker, redis);
}

const postgres: Pair = {
  id: 'through-postgres',
  title: 'graphile-worker and `postgresEngine()`',
  setup:
    'Both in a database of their own on a PostgreSQL on this machine with `fsync` and `synchronous_commit` on, both with a ' +
    'concurrency of 100, and neither keeps what is completed. graphile-worker runs as fast as it can: it has a `localQueue` of ' +
    '500, so it takes jobs that it has no place for yet, which ours never does, and completes them in batches.',
  amount: 2_000,
  bulkAmount: 20_000,
  call: 'addJob()',
  bulkCall: 'addJobs()',
  ours: { name: '`postgresEngine()`', open: openOursOnPostgres },
  bare: {
    name: 'graphile-worker',
    async open(hasWorker) {
      const { openGraphile } = await import('./durable-graphile.js');
      return openGraphile(hasWorker);
    },
  },
};

async function openOursOnPostgres(hasWorker: boolean): Promise<Store | Skipped> {
  const { postgresEngine } = await import('nestjs-nightshift/postgres');
  const { openQueueOn } = await import('./open-durable-queue.js');
  const { openDatabase } = await import('./own-database.js');
  const database = await openDatabase();
  if ('skipped' in database) return database;
  const engine = postgresEngine({ connectionString: database.url });
  const retention = { completed: { count: 0 } };
  const open = await openQueueOn(engine, { retention });
  return toStore(open, hasWorker, database);
}

type OpenQueue = Awaited<ReturnType<typeof import('./open-durable-queue.js').openQueueOn>>;

/** A queue of ours, which is paused when nothing is to be worked off. */
async function toStore(
  open: OpenQueue,
  hasWorker: boolean,
  server: { close(): Promise<void> },
): Promise<Store> {
  if (!hasWorker) await open.queue.pause();
  return {
    ...open,
    async workOff(amount) {
      await open.whenRun(amount);
      await open.queue.whenIdle();
    },
    async close() {
      await open.close();
      await server.close();
    },
  };
}
