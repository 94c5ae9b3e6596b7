import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CrewAnswer, CrewOrder, CrewReport, StoreAddress } from './crew-messages.js';
import { Journal, openWorker, type CrewWorker } from './crew-worker.js';
import { emptyTally } from './tally.js';

/* A process of the crew: some workers, or, if it is told to open none, one application that only enqueues. */

const enqueuedAtOnce = 1_000;
const journal = new Journal();
const tally = emptyTally();
const workers: CrewWorker[] = [];
const lateness = monitorEventLoopDelay({ resolution: 10 });
lateness.enable();

process.on('message', (order: CrewOrder) => {
  obey(order).then(
    () => answer({ report: report() }),
    (error: unknown) => answer({ failed: error instanceof Error ? (error.stack ?? '') : String(error) }),
  );
});
process.on('disconnect', () => process.exit());

function answer(text: CrewAnswer): void {
  process.send!(text);
}

async function obey(order: CrewOrder): Promise<void> {
  switch (order.order) {
    case 'open':
      return open(order.address, order.workers);
    case 'enqueue':
      return workers[0]!.whilePaused(async ({ enqueueMany }) => {
        for (let left = order.amount; left > 0; left -= enqueuedAtOnce)
          await enqueueMany(Math.min(left, enqueuedAtOnce));
      });
    case 'trickle':
      return trickle(order.perSecond, order.forMs);
    case 'report':
      return;
    case 'close':
      await Promise.all(workers.map((worker) => worker.close()));
  }
}

async function open(address: StoreAddress, amount: number): Promise<void> {
  if (address.kind === 'bullmq') {
    const { countRedis } = await import('./counting-redis.js');
    countRedis(tally);
  }
  for (let i = 0; i < Math.max(1, amount); i += 1)
    workers.push(await openWorker(address, { journal, tally, runs: amount > 0 }));
}

async function trickle(perSecond: number, forMs: number): Promise<void> {
  const begunAt = performance.now();
  const amount = Math.round((perSecond * forMs) / 1_000);
  const enqueued: Promise<unknown>[] = [];
  for (let i = 0; i < amount; i += 1) {
    const dueInMs = begunAt + (i * 1_000) / perSecond - performance.now();
    if (dueInMs > 0) await sleep(dueInMs);
    enqueued.push(workers[0]!.enqueue());
  }
  await Promise.all(enqueued);
}

function report(): CrewReport {
  const { user, system } = process.cpuUsage();
  const { begun, waitsMs } = journal;
  journal.waitsMs = [];
  const lateMs = lateness.percentile(99) / 1e6;
  lateness.reset();
  return { begun, waitsMs, tally, cpuMs: (user + system) / 1_000, lateMs };
}
