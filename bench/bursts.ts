import { queue as asyncQueue } from 'async';
import fastqOfCallbacks, { promise as fastq } from 'fastq';
import PQueue from 'p-queue';
import { all, burst, ours, peer, reference } from './burst-contenders.js';
import { inTurns, type Row } from './comparison.js';
import { atLeastTimes } from './goal.js';
import { call, callAsync, work } from './work.js';

const ignore = (): void => {};

async function callBack(closure: () => Promise<void>, done: (error: null) => void): Promise<void> {
  await closure();
  done(null);
}

/** What no queue of concurrency 1 can do without: run one after the other, and settle a promise for each. */
async function settleInTurn(amount: number): Promise<void> {
  const settle: (() => void)[] = [];
  const results = all(amount, () => new Promise<void>((resolve) => settle.push(resolve)));
  for (const resolve of settle) {
    await work();
    resolve();
  }
  await results;
}

async function runInTurn(amount: number): Promise<void> {
  for (let i = 0; i < amount; i += 1) await work();
}

const shared = { unit: 'closures/ms', better: 'higher', alsoAlone: true } as const;

/** Very many closures at once: what a queue costs that is full of work. */
export function burstRows(): Row[] {
  return [untilResults(), untilIdle()];
}

function untilResults(): Row {
  return inTurns(
    {
      ...shared,
      id: 'burst-results',
      title: `A burst of ${burst.toLocaleString('en')} closures, each result awaited`,
      how: 'All are queued in one go, then the promises of all results are awaited with `Promise.all`. Concurrency 1; a capacity that holds them all.',
      bound:
        'Promises. The reference is no queue at all: it makes a promise for each closure, runs one after the other and settles ' +
        'each, the least that anybody can do who gives every result its promise. What that is ahead of the peers by, nobody can ' +
        'exceed, and it is far less than the goals.',
    },
    [
      ours('enqueue(work), then result()', 'ours', (queue, amount) =>
        all(amount, async () => (await queue.enqueue(work)).result()),
      ),
      ours('tryEnqueue(work).result()', 'variant', (queue, amount) =>
        all(amount, () => queue.tryEnqueue(work)!.result()),
      ),
      peer('fastq.promise', atLeastTimes(5), () => {
        const queue = fastq(call, 1);
        return (amount) => all(amount, () => queue.push(work));
      }),
      peer('p-queue', atLeastTimes(10), () => {
        const queue = new PQueue({ concurrency: 1 });
        return (amount) => all(amount, () => queue.add(work));
      }),
      peer('async.queue', undefined, () => {
        const queue = asyncQueue(callAsync, 1);
        return (amount) => all(amount, () => queue.pushAsync(work));
      }),
      reference('the least: a promise for each, settled in turn', settleInTurn),
    ],
  );
}

function untilIdle(): Row {
  return inTurns(
    {
      ...shared,
      id: 'burst-idle',
      title: `A burst of ${burst.toLocaleString('en')} closures, until the queue is idle`,
      how:
        'All are queued in one go and their results are of no interest: each queue is asked, in its own way, when nothing ' +
        'is left. Concurrency 1; a capacity that holds them all. The plain `fastq` has no promises at all: its worker calls ' +
        'back, and a failure reaches nobody.',
      bound:
        'The same as for a closure that is awaited: of 1.1 µs of processor time, 0.45 went when tasks no longer began in an ' +
        'async context of their own, 0.15 when the clock was no longer read twice, and about a fifth is the collection of ' +
        'what waits, though that is a sixth of what waits in fastq and a tenth of p-queue. A prototype of nothing but the ' +
        'contexts, one wake-up for each and an array takes 0.65 µs.',
    },
    [
      ours('enqueue(work), whenIdle()', 'ours', async (queue, amount) => {
        for (let i = 0; i < amount; i += 1) void queue.enqueue(work);
        await queue.whenIdle();
      }),
      ours('tryEnqueue(work), whenIdle()', 'variant', async (queue, amount) => {
        for (let i = 0; i < amount; i += 1) queue.tryEnqueue(work);
        await queue.whenIdle();
      }),
      peer('fastq.promise, drained()', atLeastTimes(5), () => {
        const queue = fastq(call, 1);
        return async (amount) => {
          for (let i = 0; i < amount; i += 1) void queue.push(work);
          await queue.drained();
        };
      }),
      peer('fastq of callbacks, drain', undefined, () => {
        const queue = fastqOfCallbacks(callBack, 1);
        return async (amount) => {
          const drained = new Promise<void>((resolve) => (queue.drain = resolve));
          for (let i = 0; i < amount; i += 1) queue.push(work);
          await drained;
        };
      }),
      peer('p-queue, onIdle()', atLeastTimes(10), () => {
        const queue = new PQueue({ concurrency: 1 });
        return async (amount) => {
          for (let i = 0; i < amount; i += 1) void queue.add(work);
          await queue.onIdle();
        };
      }),
      peer('async.queue, drain()', undefined, () => {
        const queue = asyncQueue(callAsync, 1);
        return async (amount) => {
          for (let i = 0; i < amount; i += 1) queue.push(work, ignore);
          await queue.drain();
        };
      }),
      reference('the least: await work(), one after the other', runInTurn),
    ],
  );
}
