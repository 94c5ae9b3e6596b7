import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longTimeout, runs } from '../../../test/long-runs.js';
import {
  ChannelClosedError,
  createBoundedChannel,
  createUnboundedChannel,
  type Channel,
  type ChannelReader,
  type ChannelWriter,
} from './index.js';

interface Item {
  readonly producer: number;
  readonly nth: number;
}
/** Lets the others go on, for as long as the schedule under test likes. */
type Pause = () => Promise<unknown>;

const produce = {
  write: (writer: ChannelWriter<Item>, item: Item) => writer.write(item),
  watch: async (writer: ChannelWriter<Item>, item: Item, pause: Pause) => {
    while (!writer.tryWrite(item)) {
      expect(await writer.waitToWrite()).toBe(true);
      await pause();
    }
  },
};

const consume = {
  read: (reader: ChannelReader<Item>, take: (item: Item) => void, pause: Pause) =>
    untilClosed(async () => {
      take(await reader.read());
      await pause();
    }),
  /** Gives up each wait that lasts, and reads anew. */
  impatient: (reader: ChannelReader<Item>, take: (item: Item) => void, pause: Pause) =>
    untilClosed(async () => {
      const controller = new AbortController();
      const given = reader.read({ signal: controller.signal }).then(take, (error: unknown) => {
        if (error !== controller.signal.reason) throw error;
      });
      await Promise.race([given, pause()]);
      controller.abort(new Error('too long'));
      await given;
    }),
  iterate: async (reader: ChannelReader<Item>, take: (item: Item) => void, pause: Pause) => {
    for await (const item of reader) {
      take(item);
      await pause();
    }
  },
  watch: async (reader: ChannelReader<Item>, take: (item: Item) => void, pause: Pause) => {
    while (await reader.waitToRead()) {
      await pause();
      for (let item = reader.tryRead(); item !== undefined; item = reader.tryRead()) take(item);
    }
  },
};

async function untilClosed(step: () => Promise<void>): Promise<void> {
  try {
    for (;;) await step();
  } catch (error) {
    expect(error).toBeInstanceOf(ChannelClosedError);
  }
}

interface Party<Way> {
  readonly way: Way;
  readonly items: number;
}
interface Plan {
  readonly capacity: number;
  readonly producers: readonly Party<keyof typeof produce>[];
  readonly consumers: readonly Party<keyof typeof consume>[];
}

function parties<Way extends string>(ways: Readonly<Record<Way, unknown>>): fc.Arbitrary<Party<Way>[]> {
  const way = fc.constantFrom(...(Object.keys(ways) as Way[]));
  return fc.array(fc.record({ way, items: fc.nat({ max: 8 }) }), { minLength: 1, maxLength: 3 });
}

const plans: fc.Arbitrary<Plan> = fc.record({
  capacity: fc.constantFrom(0, 1, 3, Infinity),
  producers: parties(produce),
  consumers: parties(consume),
});

async function expectShared(
  scheduler: fc.Scheduler,
  { capacity, producers, consumers }: Plan,
): Promise<void> {
  const { reader, writer }: Channel<Item> =
    capacity === Infinity ? createUnboundedChannel() : createBoundedChannel(capacity);
  const pause: Pause = () => scheduler.schedule(Promise.resolve());
  const taken: Item[] = [];
  const take = (item: Item): void => {
    taken.push(item);
    expect(reader.count).toBeLessThanOrEqual(capacity);
  };
  const produced = producers.map(async ({ way, items }, producer) => {
    for (let nth = 0; nth < items; nth++) {
      await pause();
      // In a rendezvous two sides that only watch never meet (C67).
      await produce[capacity === 0 ? 'write' : way](writer, { producer, nth }, pause);
    }
  });
  const consumed = consumers.map(({ way }) => consume[way](reader, take, pause));
  const completed = Promise.all(produced).then(() => writer.complete());
  await scheduler.waitFor(Promise.all([completed, ...consumed, reader.completion]));

  for (const [producer, { items }] of producers.entries()) {
    const order = taken.filter((item) => item.producer === producer).map(({ nth }) => nth);
    const all = Array.from({ length: items }, (_, nth) => nth);
    const isInOrder = consumers.length === 1;
    expect(isInOrder ? order : order.toSorted((a, b) => a - b)).toEqual(all);
  }
}

describe('producers and consumers that share a channel', longTimeout, () => {
  it('C24 C25 C26 C31 C58 hand over each item once and all come to their end, whoever runs when', async () => {
    const property = fc.asyncProperty(fc.scheduler(), plans, expectShared);
    expect(await fc.assert(property, { numRuns: runs(200) })).toBeUndefined();
  });
});
