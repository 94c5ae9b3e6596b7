import { queue as asyncQueue } from 'async';
import { promise as fastq } from 'fastq';
import PQueue from 'p-queue';
import { inTurns, type Effort, type Prepared, type Repeatable, type Role, type Row } from './comparison.js';
import { usedHeap } from './used-heap.js';
import { call, callAsync, work } from './work.js';

/** A queue that holds what it is given until it is told to go on. */
interface Held {
  enqueue(): unknown;
  /** Runs all that is held. */
  release(): Promise<unknown>;
}

const amountOf = ({ scale }: Effort): number => 100_000 * scale;

/** What a closure weighs while it waits its turn. */
export function queuedMemoryRows(): Row[] {
  return [
    inTurns(
      {
        id: 'queued-memory',
        title: 'Memory for each closure that waits',
        how: 'The used heap, after garbage collection, with 100,000 closures waiting in a paused queue, less what it was before; the closure itself is one and the same and not counted.',
        unit: 'bytes',
        better: 'lower',
      },
      [
        ours('enqueue(work)', 'ours', false),
        ours('enqueue(work), its result awaited', 'variant', true),
        peer('fastq.promise', () => {
          const queue = fastq(call, 1);
          queue.pause();
          const release = (): Promise<void> => {
            queue.resume();
            return queue.drained();
          };
          return { enqueue: () => queue.push(work), release };
        }),
        peer('p-queue', () => {
          const queue = new PQueue({ concurrency: 1, autoStart: false });
          return { enqueue: () => queue.add(work), release: () => queue.start().onIdle() };
        }),
        peer('async.queue', () => {
          const queue = asyncQueue(callAsync, 1);
          queue.pause();
          const release = (): Promise<void> => {
            queue.resume();
            return queue.drain();
          };
          return { enqueue: () => queue.pushAsync(work), release };
        }),
      ],
    ),
  ];
}

function ours(name: string, role: Role, isAwaited: boolean): Repeatable {
  return {
    name,
    role,
    async prepare(effort) {
      const { openQueue } = await import('./open-queue.js');
      const { queue, close } = await openQueue(amountOf(effort));
      const open = (): Held => {
        queue.pause();
        const release = (): Promise<void> => {
          queue.resume();
          return queue.whenIdle();
        };
        const enqueue = isAwaited ? () => queue.tryEnqueue(work)!.result() : () => queue.enqueue(work);
        return { enqueue, release };
      };
      return { ...measured(open, effort), close };
    },
  };
}

function peer(name: string, open: () => Held): Repeatable {
  return { name, role: 'peer', prepare: async (effort) => measured(open, effort) };
}

function measured(open: () => Held, effort: Effort): Prepared {
  const amount = amountOf(effort);
  const sample = async (): Promise<number> => {
    const { enqueue, release } = open();
    const before = await usedHeap();
    for (let i = 0; i < amount; i += 1) void enqueue();
    const after = await usedHeap();
    await release();
    return (after - before) / amount;
  };
  return { sample };
}
