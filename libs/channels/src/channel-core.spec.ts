// Long because it has a test to an ID: what each kind of channel does beyond the common contract.
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it } from 'vitest';
import {
  ChannelClosedError,
  createBoundedChannel,
  createPriorityChannel,
  createUnboundedChannel,
  type Channel,
  type FullMode,
} from './index.js';
import { outcome, pending } from './outcome.fixture.js';

function drain<T>({ reader }: Channel<T>): T[] {
  const items: T[] = [];
  for (let item = reader.tryRead(); item !== undefined; item = reader.tryRead()) items.push(item);
  return items;
}

function setup(options: { capacity?: number; fullMode?: FullMode } = {}) {
  const dropped: number[] = [];
  const channel = createBoundedChannel<number>({
    capacity: 3,
    onDropped: (item) => dropped.push(item),
    ...options,
  });
  return { ...channel, channel, dropped };
}

const compare = (a: number, b: number): number => a - b;
const dropModes = ['dropOldest', 'dropNewest', 'dropWrite'] as const;

describe('a bounded channel that waits', () => {
  it('C37 C50 never calls onDropped', async () => {
    const { writer, dropped, channel } = setup();
    const writes = [1, 2, 3, 4].map((item) => writer.write(item));
    expect(writer.tryWrite(5)).toBe(false);
    expect(drain(channel)).toEqual([1, 2, 3, 4]);
    await Promise.all(writes);
    expect(dropped).toEqual([]);
  });

  it('C54 says nothing of items discarded by completion', async () => {
    const { writer, dropped } = setup({ capacity: 1 });
    await writer.write(1);
    const blocked = writer.write(2);
    writer.complete();
    await expect(blocked).rejects.toThrow(ChannelClosedError);
    expect(dropped).toEqual([]);
  });

  it('C38 no write that comes later gets in before those who wait, not even right after the read', async () => {
    const { reader, writer, channel } = setup({ capacity: 1 });
    await writer.write(1);
    const waiting = [writer.write(2), writer.write(3)];
    expect(reader.tryRead()).toBe(1);
    expect(writer.tryWrite(9)).toBe(false);
    waiting.push(writer.write(4));
    expect(drain(channel)).toEqual([2, 3, 4]);
    await Promise.all(waiting);
  });

  it('C13 C14 completion waits for the last item when several are left', async () => {
    const { reader, writer } = setup();
    for (const item of [1, 2, 3]) writer.tryWrite(item);
    writer.complete();
    for (const item of [1, 2]) {
      expect(reader.tryRead()).toBe(item);
      expect(await outcome(reader.completion)).toBe(pending);
    }
    expect(await reader.read()).toBe(3);
    expect(await outcome(reader.completion)).toBeUndefined();
  });

  it('holds a capacity of a thousand million without setting memory aside', () => {
    const { writer, channel } = setup({ capacity: 1_000_000_000 });
    expect(writer.tryWrite(1)).toBe(true);
    expect(drain(channel)).toEqual([1]);
  });
});

describe.each(dropModes)('a bounded channel in the mode %s', (fullMode) => {
  it('C46 never makes a writer wait', async () => {
    const { writer } = setup({ fullMode });
    for (let item = 1; item <= 10; item++) {
      expect(await Promise.race([writer.write(item), Promise.resolve(pending)])).toBeUndefined();
      expect(writer.tryWrite(item)).toBe(true);
      expect(await writer.waitToWrite()).toBe(true);
    }
  });

  it('C50 reports each drop once, and nothing while there is room', () => {
    const { writer, dropped, channel } = setup({ fullMode });
    for (const item of [1, 2, 3]) writer.tryWrite(item);
    expect(dropped).toEqual([]);
    for (const item of [4, 5]) writer.tryWrite(item);
    expect(dropped).toHaveLength(2);
    expect([...dropped, ...drain(channel)].toSorted(compare)).toEqual([1, 2, 3, 4, 5]);
  });

  it('C51 calls onDropped inside the write, with the new state in place, and the channel can be used there', () => {
    const seen: unknown[] = [];
    const channel: Channel<number> = createBoundedChannel<number>({
      capacity: 1,
      fullMode,
      onDropped(item) {
        seen.push(item, channel.reader.count, channel.reader.tryRead(), channel.writer.tryWrite(7));
      },
    });
    channel.writer.tryWrite(1);
    channel.writer.tryWrite(2);
    const [kept, lost] = fullMode === 'dropWrite' ? [1, 2] : [2, 1];
    expect(seen).toEqual([lost, 1, kept, true]);
    expect(drain(channel)).toEqual([7]);
  });

  it('C52 needs no onDropped', () => {
    const { reader, writer } = createBoundedChannel<number>({ capacity: 1, fullMode });
    expect([writer.tryWrite(1), writer.tryWrite(2)]).toEqual([true, true]);
    expect(reader.count).toBe(1);
  });

  it('C53 lets what onDropped throws out of the write, which has taken effect', () => {
    const channel = createBoundedChannel<number>({
      capacity: 1,
      fullMode,
      onDropped: (item) => {
        throw new Error(`lost ${item}`);
      },
    });
    channel.writer.tryWrite(1);
    const [kept, lost] = fullMode === 'dropWrite' ? [1, 2] : [2, 1];
    expect(() => channel.writer.write(2)).toThrow(`lost ${lost}`);
    expect(drain(channel)).toEqual([kept]);
  });

  it('C68 without a buffer hands over to a reader who waits and drops the written item otherwise', async () => {
    const { reader, writer, dropped } = setup({ capacity: 0, fullMode });
    expect(writer.tryWrite(1)).toBe(true);
    await writer.write(2);
    expect(dropped).toEqual([1, 2]);
    const read = reader.read();
    expect(writer.tryWrite(3)).toBe(true);
    expect(await read).toBe(3);
    expect(dropped).toEqual([1, 2]);
    expect(reader.count).toBe(0);
  });
});

describe('what a full bounded channel keeps', () => {
  it('C47 dropOldest keeps the last ones', () => {
    const { writer, dropped, channel } = setup({ fullMode: 'dropOldest' });
    for (let item = 1; item <= 50; item++) writer.tryWrite(item);
    expect(drain(channel)).toEqual([48, 49, 50]);
    expect(dropped).toEqual(Array.from({ length: 47 }, (_, index) => index + 1));
  });

  it('C48 dropNewest keeps the first ones and the latest', () => {
    const { writer, dropped, channel } = setup({ fullMode: 'dropNewest' });
    for (let item = 1; item <= 6; item++) writer.tryWrite(item);
    expect(drain(channel)).toEqual([1, 2, 6]);
    expect(dropped).toEqual([3, 4, 5]);
  });

  it('C48 dropNewest works when the buffer has wrapped round', () => {
    const { reader, writer, channel } = setup({ capacity: 16, fullMode: 'dropNewest' });
    for (let item = 1; item <= 16; item++) writer.tryWrite(item);
    reader.tryRead();
    for (const item of [17, 18, 19]) writer.tryWrite(item);
    expect(drain(channel)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 19]);
  });

  it('C49 dropWrite keeps what is there', () => {
    const { writer, dropped, channel } = setup({ fullMode: 'dropWrite' });
    for (let item = 1; item <= 5; item++) expect(writer.tryWrite(item)).toBe(true);
    expect(drain(channel)).toEqual([1, 2, 3]);
    expect(dropped).toEqual([4, 5]);
  });
});

describe('an unbounded channel', () => {
  it('C55 takes every write at once until it is completed', async () => {
    const { reader, writer } = createUnboundedChannel<number>();
    for (let item = 0; item < 5_000; item++) {
      expect(await Promise.race([writer.write(item), Promise.resolve(pending)])).toBeUndefined();
    }
    expect(await writer.waitToWrite()).toBe(true);
    expect(reader.count).toBe(5_000);
    writer.complete();
    expect(writer.tryWrite(1)).toBe(false);
    expect(await writer.waitToWrite()).toBe(false);
  });

  it('hands over a promise as it is, except by read()', async () => {
    const { reader, writer } = createUnboundedChannel<Promise<number> | null>();
    const item = Promise.resolve(1);
    for (let i = 0; i < 3; i++) writer.tryWrite(item);
    expect(reader.tryRead()).toBe(item);
    const iterator = reader[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe(item);
    expect(await reader.read()).toBe(1);
    const step = iterator.next();
    writer.tryWrite(item);
    expect((await step).value).toBe(item);
    writer.tryWrite(null);
    expect(reader.tryRead()).toBeNull();
  });

  it('C17 a failed completion that nobody looks at is no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    createUnboundedChannel().writer.complete(new Error('nobody looks'));
    // Node reports them after the microtasks of a turn, so a full turn has to pass.
    await new ManualClock().advance(0);
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});

const rendezvous = (): Channel<number> => createBoundedChannel<number>(0);

describe('a rendezvous channel', () => {
  it('C64 counts 0 whoever waits', async () => {
    const { reader, writer } = rendezvous();
    const write = writer.write(1);
    expect(reader.count).toBe(0);
    expect(await reader.read()).toBe(1);
    await write;
    const read = reader.read();
    expect(reader.count).toBe(0);
    writer.tryWrite(2);
    expect(await read).toBe(2);
  });

  it('C65 the try methods need the other side to be waiting', async () => {
    const { reader, writer } = rendezvous();
    expect(writer.tryWrite(1)).toBe(false);
    expect(reader.tryRead()).toBeUndefined();
    const write = writer.write(2);
    expect(reader.tryRead()).toBe(2);
    await write;
    const read = reader.read();
    expect(writer.tryWrite(3)).toBe(true);
    expect(await read).toBe(3);
  });

  it('C66 write() resolves when a reader has taken the item, first come first served', async () => {
    const { reader, writer } = rendezvous();
    const writes = [1, 2].map((item) => writer.write(item));
    expect(await outcome(writes[0]!)).toBe(pending);
    expect(await reader.read()).toBe(1);
    expect(await outcome(writes[0]!)).toBeUndefined();
    expect(await outcome(writes[1]!)).toBe(pending);
    expect(await reader.read()).toBe(2);
    await writes[1];
  });

  it('C67 waitToWrite() hears of a waiting read(), and waitToRead() of a waiting write()', async () => {
    const { reader, writer } = rendezvous();
    const canWrite = writer.waitToWrite();
    const read = reader.read();
    expect(await canWrite).toBe(true);
    writer.tryWrite(1);
    expect(await read).toBe(1);

    const canRead = reader.waitToRead();
    const write = writer.write(2);
    expect(await canRead).toBe(true);
    expect(await reader.waitToRead()).toBe(true);
    expect(reader.tryRead()).toBe(2);
    await write;
  });

  it('C67 two sides that only watch never meet', async () => {
    const { reader, writer } = rendezvous();
    const canRead = reader.waitToRead();
    const canWrite = writer.waitToWrite();
    expect(await outcome(canRead)).toBe(pending);
    expect(await outcome(canWrite)).toBe(pending);
    writer.complete();
    expect([await canRead, await canWrite]).toEqual([false, false]);
  });

  it('C67 an iteration that waits counts as a reader', async () => {
    const { reader, writer } = rendezvous();
    const canWrite = writer.waitToWrite();
    const step = reader[Symbol.asyncIterator]().next();
    expect(await canWrite).toBe(true);
    expect(writer.tryWrite(1)).toBe(true);
    expect(await step).toEqual({ done: false, value: 1 });
  });

  it('C69 tryPeek() shows the item of the writer who is next', async () => {
    const { reader, writer } = rendezvous();
    expect(reader.tryPeek()).toBeUndefined();
    const writes = [1, 2].map((item) => writer.write(item));
    expect(reader.tryPeek()).toBe(1);
    reader.tryRead();
    expect(reader.tryPeek()).toBe(2);
    reader.tryRead();
    await Promise.all(writes);
  });

  it('C70 completing settles completion at once and refuses the writers who wait', async () => {
    const { reader, writer } = rendezvous();
    const write = writer.write(1);
    writer.complete();
    expect(reader.tryRead()).toBeUndefined();
    await reader.completion;
    await expect(write).rejects.toThrow(ChannelClosedError);
  });
});

interface Job {
  readonly priority: number;
  readonly name: string;
}
const byPriority = (a: Job, b: Job): number => a.priority - b.priority;
const job = (priority: number, name: string): Job => ({ priority, name });
const names = (jobs: readonly Job[]): string => jobs.map(({ name }) => name).join(' ');

describe('a priority channel', () => {
  it('C59 C62 reads the smallest first and peeks at it', () => {
    const channel = createPriorityChannel<number>({ compare });
    for (const item of [5, 1, 4, 2, 3]) channel.writer.tryWrite(item);
    expect(channel.reader.tryPeek()).toBe(1);
    expect(channel.reader.count).toBe(5);
    expect(drain(channel)).toEqual([1, 2, 3, 4, 5]);
  });

  it('C60 goes beyond: equal priorities come out in the order in which they went in', () => {
    const channel = createPriorityChannel<Job>({ compare: byPriority });
    for (const name of 'abcdefghij') channel.writer.tryWrite(job(name < 'f' ? 2 : 1, name));
    expect(names(drain(channel))).toBe('f g h i j a b c d e');
  });

  it('C61 a reader who waits gets what comes, whatever its priority', async () => {
    const { reader, writer } = createPriorityChannel<number>({ compare });
    const reads = [reader.read(), reader.read()];
    writer.tryWrite(9);
    writer.tryWrite(1);
    expect(await Promise.all(reads)).toEqual([9, 1]);
  });

  it('C63 goes beyond: bounded, writers get space in the order in which they came', async () => {
    const { reader, writer } = createPriorityChannel<number>({ compare, capacity: 2 });
    const writes = [5, 6, 9, 1].map((item) => writer.write(item));
    expect(await outcome(writes[2]!)).toBe(pending);
    const seen: number[] = [];
    while (seen.length < 4) seen.push(await reader.read());
    expect(seen).toEqual([5, 6, 1, 9]);
    await Promise.all(writes);
  });

  it.each([
    ['dropOldest', 'a', 'd b c'],
    ['dropNewest', 'c', 'a d b'],
    ['dropWrite', 'd', 'a b c'],
  ] as const)('drops by age and not by priority: %s', (fullMode, lost, kept) => {
    const dropped: Job[] = [];
    const channel = createPriorityChannel<Job>({
      compare: byPriority,
      capacity: 3,
      fullMode,
      onDropped: (item) => dropped.push(item),
    });
    for (const item of [job(1, 'a'), job(2, 'b'), job(3, 'c'), job(1, 'd')]) channel.writer.tryWrite(item);
    expect(names(dropped)).toBe(lost);
    expect(names(drain(channel))).toBe(kept);
  });

  it('fails the write whose item cannot be compared, and stays as it was', () => {
    const channel = createPriorityChannel<number>({
      compare(a, b) {
        if (a === 13 || b === 13) throw new Error('unlucky');
        return a - b;
      },
    });
    for (const item of [3, 1, 2]) channel.writer.tryWrite(item);
    expect(() => channel.writer.tryWrite(13)).toThrow('unlucky');
    expect(() => channel.writer.write(13)).toThrow('unlucky');
    expect(drain(channel)).toEqual([1, 2, 3]);
  });

  it('fails a write that waited if its item cannot be compared, and lets the next in', async () => {
    const { reader, writer } = createPriorityChannel<number>({
      capacity: 2,
      compare(a, b) {
        if (a === 13 || b === 13) throw new Error('unlucky');
        return a - b;
      },
    });
    const [, , unlucky, next] = [1, 2, 13, 3].map((item) => writer.write(item));
    expect(await reader.read()).toBe(1);
    await expect(unlucky).rejects.toThrow('unlucky');
    await next;
    expect([reader.tryRead(), reader.tryRead()]).toEqual([2, 3]);
  });
});
