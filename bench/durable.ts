import type { SqliteEngineOptions } from 'nestjs-nightshift/sqlite';
import { inTurns, type Effort, type Repeatable, type Role, type Row } from './comparison.js';
import { durableLoopRows } from './durable-loop.js';
import { retainedRow } from './durable-retained.js';
import { byCallers, callers, durably } from './durable-work.js';
import { atLeastTimes, type Goal } from './goal.js';

const amountOf = (amount: number, { scale }: Effort): number => amount * scale;
/** Enough for ours to take a tenth of a second, and for the slowest not to take several. */
const amounts = { ours: 20_000, bullmq: 5_000, graphile: 1_000 } as const;

const bullmqSetup = { appendfsync: 'always', removeOnComplete: true } as const;
const shared = { unit: 'tasks/ms', better: 'higher' } as const;
const servers =
  'BullMQ on a Redis of its own on this machine with `appendfsync always`; graphile-worker on PostgreSQL on this machine ' +
  'with `fsync` and `synchronous_commit` on. All of them answer only when the task is on disk, but for `normal`.';

/** Tasks that survive the process: stored before `enqueue()` resolves, and completed in the store. */
export function durableRows(): Row[] {
  return [enqueueRow(), completedRow(), ...durableLoopRows(), retainedRow()];
}

function enqueueRow(): Row {
  return inTurns(
    {
      ...shared,
      id: 'durable-enqueue',
      title: `A durable task enqueued, by ${callers} callers at once`,
      how:
        `${callers} callers, each of which awaits that its task is stored before it enqueues the next: a typed task with 190 ` +
        `bytes of payload. Nothing is worked off meanwhile. ${servers}`,
    },
    [
      oursEnqueues("SQLite, `synchronous: 'full'`", 'ours', {}),
      oursEnqueues('the same, `thread: true`', 'variant', { thread: true }),
      oursEnqueues("`synchronous: 'normal'`", 'variant', { synchronous: 'normal' }),
      {
        name: 'BullMQ, add()',
        role: 'peer',
        goal: atLeastTimes(3),
        async prepare(effort) {
          const { openBullmq } = await import('./durable-bullmq.js');
          const open = await openBullmq({ ...bullmqSetup, hasWorker: false });
          if ('skipped' in open) return open;
          return durably(amountOf(amounts.bullmq, effort), (amount) => byCallers(amount, open.enqueue), open);
        },
      },
      {
        name: 'graphile-worker, addJob()',
        role: 'peer',
        goal: atLeastTimes(10),
        async prepare(effort) {
          const { openGraphile } = await import('./durable-graphile.js');
          const open = await openGraphile(false);
          if ('skipped' in open) return open;
          return durably(
            amountOf(amounts.graphile, effort),
            (amount) => byCallers(amount, open.enqueue),
            open,
          );
        },
      },
    ],
  );
}

type EngineOptions = Pick<SqliteEngineOptions, 'thread' | 'synchronous'>;

function oursEnqueues(name: string, role: Role, options: EngineOptions): Repeatable {
  return {
    name,
    role,
    async prepare(effort) {
      const { openDurableQueue } = await import('./open-durable-queue.js');
      const open = await openDurableQueue(options);
      await open.queue.pause();
      return durably(amountOf(amounts.ours, effort), (amount) => byCallers(amount, open.enqueue), open);
    },
  };
}

function completedRow(): Row {
  return inTurns(
    {
      ...shared,
      id: 'durable-completed',
      title: 'A durable task from enqueue to completed',
      how:
        `Enqueued by ${callers} callers as above, or all in one call, and worked off meanwhile by a handler that does ` +
        'nothing, until the last is completed in the store. Ours has a concurrency of 100 and keeps what is completed, as it ' +
        'does by default; the peers delete it. BullMQ has a worker of concurrency 100; graphile-worker runs as fast as it ' +
        `can: \`concurrentJobs: 100\`, a \`localQueue\` of 500, jobs completed in batches. ${servers}`,
    },
    [
      oursCompletes("SQLite, `synchronous: 'full'`, enqueue()", 'ours', {}, false),
      oursCompletes('the same, `thread: true`', 'variant', { thread: true }, false),
      oursCompletes('enqueueMany()', 'variant', {}, true),
      {
        name: 'BullMQ, add()',
        role: 'peer',
        goal: atLeastTimes(3),
        async prepare(effort) {
          const { openBullmq } = await import('./durable-bullmq.js');
          const open = await openBullmq({ ...bullmqSetup, hasWorker: true });
          if ('skipped' in open) return open;
          const run = (amount: number): Promise<unknown> =>
            Promise.all([open.workOff(amount), byCallers(amount, open.enqueue)]);
          return durably(amountOf(amounts.bullmq, effort), run, { close: open.close });
        },
      },
      graphileCompletes('graphile-worker, addJob()', amounts.graphile, false, atLeastTimes(1.5)),
      graphileCompletes('graphile-worker, addJobs()', amounts.ours, true),
    ],
  );
}

function oursCompletes(name: string, role: Role, options: EngineOptions, isBulk: boolean): Repeatable {
  return {
    name,
    role,
    async prepare(effort) {
      const { openDurableQueue } = await import('./open-durable-queue.js');
      const { queue, enqueue, enqueueMany, close } = await openDurableQueue(options);
      const run = async (amount: number): Promise<void> => {
        await (isBulk ? enqueueMany(amount) : byCallers(amount, enqueue));
        await queue.whenIdle();
      };
      return durably(amountOf(amounts.ours, effort), run, { close });
    },
  };
}

function graphileCompletes(name: string, total: number, isBulk: boolean, goal?: Goal): Repeatable {
  return {
    name,
    role: 'peer',
    ...(goal && { goal }),
    async prepare(effort) {
      const { openGraphile } = await import('./durable-graphile.js');
      const open = await openGraphile(true);
      if ('skipped' in open) return open;
      const run = (amount: number): Promise<unknown> =>
        Promise.all([
          open.workOff(amount),
          isBulk ? open.enqueueMany(amount) : byCallers(amount, open.enqueue),
        ]);
      return durably(amountOf(total, effort), run, { close: open.close });
    },
  };
}
