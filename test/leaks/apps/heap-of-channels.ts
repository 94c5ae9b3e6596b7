// What stays in the heap of waits on channels and timers, given up or answered, all under one signal that lives on.
import {
  createBoundedChannel,
  createPriorityChannel,
  PeriodicTimer,
  type Channel,
} from 'nestjs-nightshift/channels';
import { ManualClock } from 'nestjs-nightshift/testing';
import { reportHeap, times } from './measurement.js';

/** How many wait at once before all of them give up. */
const crowd = 1_000;

type Wait = (channel: Channel<number>, signal: AbortSignal) => Promise<unknown>;

const given: readonly (readonly [what: string, capacity: number, wait: Wait])[] = [
  ['read() given up', 1, ({ reader }, signal) => reader.read({ signal })],
  ['waitToRead() given up', 1, ({ reader }, signal) => reader.waitToRead({ signal })],
  [
    'readAll() step given up',
    1,
    ({ reader }, signal) => reader.readAll({ signal })[Symbol.asyncIterator]().next(),
  ],
  ['write() given up', 0, ({ writer }, signal) => writer.write(1, { signal })],
  ['waitToWrite() given up', 0, ({ writer }, signal) => writer.waitToWrite({ signal })],
];

for (const [what, capacity, wait] of given) {
  const channel = createBoundedChannel<number>(capacity);
  await reportHeap(what, times, async (count) => {
    for (let done = 0; done < count; done += crowd) {
      const controller = new AbortController();
      const waits = Array.from({ length: crowd }, () => wait(channel, controller.signal));
      controller.abort();
      await Promise.allSettled(waits);
    }
  });
}

const { signal } = new AbortController();

const rendezvous = createBoundedChannel<object>(0);
await reportHeap('read() and write() that meet', times, async (count) => {
  for (let done = 0; done < count; done += 1) {
    const item = rendezvous.reader.read({ signal });
    await rendezvous.writer.write({}, { signal });
    await item;
  }
});

const bounded = createBoundedChannel<object>(10);
await reportHeap('bursts through a full channel', times, async (count) => {
  for (let done = 0; done < count; done += crowd) {
    const writes = Array.from({ length: crowd }, () => bounded.writer.write({}, { signal }));
    for (let taken = 0; taken < crowd; taken += 1) await bounded.reader.read({ signal });
    await Promise.all(writes);
  }
});

const byPriority = createPriorityChannel<{ at: number }>({ compare: (one, other) => one.at - other.at });
await reportHeap('bursts through a priority channel', times, async (count) => {
  for (let done = 0; done < count; done += crowd) {
    for (let at = crowd; at > 0; at -= 1) byPriority.writer.tryWrite({ at });
    while (byPriority.reader.tryRead() !== undefined);
  }
});

await reportHeap('channels made, used and dropped', times, async (count) => {
  for (let done = 0; done < count; done += 1) {
    const { reader, writer } = createBoundedChannel<number>(1);
    const item = reader.read({ signal });
    writer.tryWrite(done);
    await item;
  }
});

const clock = new ManualClock();
const timer = new PeriodicTimer('1s', { clock });
await reportHeap('waitForNextTick() given up', times, async (count) => {
  for (let done = 0; done < count; done += 1) {
    const controller = new AbortController();
    const wait = timer.waitForNextTick({ signal: controller.signal });
    controller.abort();
    await wait.catch(() => {});
  }
});
await reportHeap('waitForNextTick() that ticks', times / 10, async (count) => {
  for (let done = 0; done < count; done += 1) {
    const wait = timer.waitForNextTick({ signal });
    await clock.advance('1s');
    await wait;
  }
});
