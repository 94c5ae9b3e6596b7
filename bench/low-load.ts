import { setImmediate as nextTurn } from 'node:timers/promises';
import { queue as asyncQueue } from 'async';
import { promise as fastq } from 'fastq';
import PQueue from 'p-queue';
import { inTurns, type Effort, type Prepared, type Repeatable, type Row } from './comparison.js';
import { quantile } from './statistics.js';
import { call, callAsync } from './work.js';

const amountOf = ({ scale }: Effort): number => 2_000 * scale;

type Enqueue = (work: () => Promise<void>) => unknown;

/** How soon a closure begins that finds the queue idle. */
export function lowLoadRows(): Row[] {
  return [row(0.5, 'median', 'p50'), row(0.99, '99th percentile', 'p99')];
}

function row(share: number, words: string, id: string): Row {
  return inTurns(
    {
      id: `latency-${id}`,
      title: `From enqueue to start at low load, ${words}`,
      how: 'A closure is handed over to an idle queue, once in each turn of the event loop; measured until its first line runs.',
      unit: 'µs',
      better: 'lower',
    },
    contenders(share),
  );
}

function contenders(share: number): Repeatable[] {
  const measured = (enqueue: Enqueue, amount: number): Prepared => ({
    sample: async () => quantile(await latencies(enqueue, amount), share),
  });
  return [
    {
      name: 'enqueue(work)',
      role: 'ours',
      async prepare(effort) {
        const { openQueue } = await import('./open-queue.js');
        const { queue, close } = await openQueue(100);
        return { ...measured((work) => queue.enqueue(work), amountOf(effort)), close };
      },
    },
    {
      name: 'fastq.promise',
      role: 'peer',
      async prepare(effort) {
        const queue = fastq(call, 1);
        return measured((work) => queue.push(work), amountOf(effort));
      },
    },
    {
      name: 'p-queue',
      role: 'peer',
      async prepare(effort) {
        const queue = new PQueue({ concurrency: 1 });
        return measured((work) => queue.add(work), amountOf(effort));
      },
    },
    {
      name: 'async.queue',
      role: 'peer',
      async prepare(effort) {
        const queue = asyncQueue(callAsync, 1);
        return measured((work) => queue.pushAsync(work), amountOf(effort));
      },
    },
  ];
}

async function latencies(enqueue: Enqueue, amount: number): Promise<number[]> {
  const figures: number[] = [];
  for (let i = 0; i < amount; i += 1) {
    await nextTurn();
    await new Promise<void>((resolve) => {
      const begunAt = performance.now();
      enqueue(async () => {
        figures.push((performance.now() - begunAt) * 1_000);
        resolve();
      });
    });
  }
  return figures;
}
