import { queue as asyncQueue } from 'async';
import { promise as fastq } from 'fastq';
import PQueue from 'p-queue';
import { inTurns, speed, type Row } from './comparison.js';
import { atLeastTimes } from './goal.js';
import { call, callAsync, work } from './work.js';

const amountOf = ({ scale }: { readonly scale: number }): number => 100_000 * scale;

/** Handing over closures one at a time, each awaited before the next. */
export function closureRows(): Row[] {
  const awaited = inTurns(
    {
      id: 'closure-awaited',
      title: 'A closure from enqueue to done, each awaited',
      how:
        'Concurrency 1; one closure at a time, an async function that does nothing; the next is handed over when the result ' +
        'of the one before has come. Ours has a capacity of 100. `enqueue()` awaits twice, for the place in the queue and ' +
        'for the result; `tryEnqueue()` awaits once, as the peers do, which have no bound to wait for.',
      bound:
        'What a task is given that a bare closure is not. It begins in an async context of its own, so that nothing of the ' +
        'request that handed it over reaches it, and finds itself with `BackgroundContext.current()`: on Node 20 that and the ' +
        'hooks it puts on every promise are half of the time (0.45 of 0.9 µs when taken out). The clock is read twice, for ' +
        '`enqueuedAt` and for how long it took: 0.15 µs here. A prototype of nothing but these contexts, one wake-up and the ' +
        'two promises reaches 0.6 times fastq; with `tryEnqueue()`, which saves one of the promises, 0.7 times.',
      unit: 'closures/ms',
      better: 'higher',
      alsoAlone: true,
    },
    [
      {
        name: '(await enqueue(work)).result()',
        role: 'ours',
        async prepare(effort) {
          const { openQueue } = await import('./open-queue.js');
          const { queue, close } = await openQueue(100);
          const run = async (amount: number): Promise<void> => {
            for (let i = 0; i < amount; i += 1) await (await queue.enqueue(work)).result();
          };
          return speed(amountOf(effort), run, close);
        },
      },
      {
        name: 'tryEnqueue(work).result()',
        role: 'variant',
        async prepare(effort) {
          const { openQueue } = await import('./open-queue.js');
          const { queue, close } = await openQueue(100);
          const run = async (amount: number): Promise<void> => {
            for (let i = 0; i < amount; i += 1) await queue.tryEnqueue(work)!.result();
          };
          return speed(amountOf(effort), run, close);
        },
      },
      {
        name: 'fastq.promise',
        role: 'peer',
        goal: atLeastTimes(1),
        async prepare(effort) {
          const peer = fastq(call, 1);
          return speed(amountOf(effort), async (amount) => {
            for (let i = 0; i < amount; i += 1) await peer.push(work);
          });
        },
      },
      {
        name: 'p-queue',
        role: 'peer',
        goal: atLeastTimes(5),
        async prepare(effort) {
          const peer = new PQueue({ concurrency: 1 });
          return speed(amountOf(effort), async (amount) => {
            for (let i = 0; i < amount; i += 1) await peer.add(work);
          });
        },
      },
      {
        name: 'async.queue',
        role: 'peer',
        async prepare(effort) {
          const peer = asyncQueue(callAsync, 1);
          return speed(amountOf(effort), async (amount) => {
            for (let i = 0; i < amount; i += 1) await peer.pushAsync(work);
          });
        },
      },
      {
        name: 'no queue: await work()',
        role: 'reference',
        async prepare(effort) {
          return speed(amountOf(effort), async (amount) => {
            for (let i = 0; i < amount; i += 1) await work();
          });
        },
      },
    ],
  );
  return [awaited];
}
