// Long because it is one contract: every behaviour that all kinds of channel share, each with its ID.
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { blocking, buffering, compare, fill, kinds, waiting } from './channel-kinds.fixture.js';
import { ChannelClosedError, UndefinedItemError, type Channel } from './index.js';
import { outcome, pending } from './outcome.fixture.js';

/** Puts an item where a reader can have it: into the buffer, or into the hands of a waiting writer. */
function give(channel: Channel<number>, item: number): void {
  channel.writer.write(item).catch(() => {});
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const boom = new Error('boom');
const aborted = (reason: unknown = new Error('given up')): AbortSignal => AbortSignal.abort(reason);
const closedBy = (cause: unknown): unknown => expect.objectContaining({ code: 'CHANNEL_CLOSED', cause });
const cancellation = (): Error => new DOMException('shutting down', 'AbortError');

describe.each(kinds)('$name channel', ({ create, room }) => {
  it('C6 the ends are stable objects', () => {
    const channel = create();
    expect(channel.reader).toBe(channel.reader);
    expect(channel.writer).toBe(channel.writer);
    expect(Object.isFrozen(channel)).toBe(true);
  });

  it('C7 the try methods say no after completion and never throw', () => {
    const { reader, writer } = create();
    expect(reader.tryRead()).toBeUndefined();
    writer.complete();
    expect(writer.tryWrite(1)).toBe(false);
    expect(reader.tryRead()).toBeUndefined();
    expect(reader.tryPeek()).toBeUndefined();
  });

  it('C8 write() after completion rejects with ChannelClosedError, with the error as its cause', async () => {
    const plain = create();
    plain.writer.complete();
    const refused = await plain.writer.write(1).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ChannelClosedError);
    expect(refused).not.toHaveProperty('cause');

    const faulted = create();
    faulted.writer.complete(boom);
    await expect(faulted.writer.write(1)).rejects.toEqual(closedBy(boom));
  });

  it('C9 read() of a drained channel rejects with ChannelClosedError, before and during the wait', async () => {
    for (const error of [undefined, boom]) {
      const { reader, writer } = create();
      const during = reader.read();
      writer.complete(error);
      await expect(during).rejects.toThrow(ChannelClosedError);
      const refused = await reader.read().catch((reason: Error) => reason);
      expect(refused).toBeInstanceOf(ChannelClosedError);
      expect((refused as Error).cause).toBe(error);
    }
  });

  it('C10 waitToRead() and waitToWrite() say false after a plain completion', async () => {
    const { reader, writer } = create();
    writer.complete();
    expect(await reader.waitToRead()).toBe(false);
    expect(await writer.waitToWrite()).toBe(false);
  });

  it('C10 waitToRead() and waitToWrite() reject with the raw error after a faulty completion', async () => {
    const { reader, writer } = create();
    writer.complete(boom);
    await expect(reader.waitToRead()).rejects.toBe(boom);
    await expect(writer.waitToWrite()).rejects.toBe(boom);
  });

  it('C11 readAll() ends quietly on completion and throws the raw error of a faulty one', async () => {
    const plain = create();
    plain.writer.complete();
    expect(await collect(plain.reader.readAll())).toEqual([]);

    const faulted = create();
    faulted.writer.complete(boom);
    await expect(collect(faulted.reader)).rejects.toBe(boom);
  });

  it('C12 completes once: tryComplete() is true then false, complete() throws the second time', () => {
    const { writer } = create();
    expect(writer.tryComplete()).toBe(true);
    expect(writer.tryComplete(boom)).toBe(false);
    expect(() => writer.complete()).toThrow(ChannelClosedError);
  });

  it('C13 completion is one promise, pending until the channel is completed', async () => {
    const { reader, writer } = create();
    expect(reader.completion).toBe(reader.completion);
    expect(await outcome(reader.completion)).toBe(pending);
    writer.complete();
    expect(await outcome(reader.completion)).toBeUndefined();
  });

  it('C15 completion rejects with the raw error', async () => {
    const { reader, writer } = create();
    writer.complete(boom);
    await expect(reader.completion).rejects.toBe(boom);
  });

  it('C15 null counts as no error', async () => {
    const { reader, writer } = create();
    writer.complete(null);
    await expect(reader.completion).resolves.toBeUndefined();
  });

  it('C16 a completion with an AbortError is a cancellation: reads and writes reject with it, unwrapped', async () => {
    const { reader, writer } = create();
    const reason = cancellation();
    const during = reader.read();
    writer.complete(reason);
    await expect(during).rejects.toBe(reason);
    await expect(reader.read()).rejects.toBe(reason);
    await expect(writer.write(1)).rejects.toBe(reason);
    await expect(reader.completion).rejects.toBe(reason);
  });

  it('C16 C19 completing ends iterations that wait as it ends those that come later', async () => {
    const reason = cancellation();
    for (const [error, ending] of [
      [undefined, { done: true, value: undefined }],
      [boom, boom],
      [reason, reason],
    ]) {
      const { reader, writer } = create();
      const iterator = reader[Symbol.asyncIterator]();
      const step = iterator.next().catch((raw: unknown) => raw);
      writer.complete(error);
      expect(await step).toEqual(ending);
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
    }
  });

  it('C18 completion settles before those who wait are released', async () => {
    for (const error of [undefined, boom]) {
      const { reader, writer } = create();
      const order: string[] = [];
      const note = (what: string) => () => void order.push(what);
      reader.read().then(note('reader'), note('reader'));
      reader.waitToRead().then(note('watcher'), note('watcher'));
      reader.completion.then(note('completion'), note('completion'));
      writer.complete(error);
      await outcome(Promise.resolve());
      expect(order).toEqual(['completion', 'reader', 'watcher']);
    }
  });

  it('C19 completing releases everybody who waits to read', async () => {
    const { reader, writer } = create();
    const read = reader.read();
    const watch = reader.waitToRead();
    writer.complete(boom);
    await expect(read).rejects.toEqual(closedBy(boom));
    await expect(watch).rejects.toBe(boom);
  });

  it('C21 a signal that is already aborted wins over data, space and completion', async () => {
    const reason = new Error('given up');
    const signal = aborted(reason);
    const channel = create();
    if (room > 0) channel.writer.tryWrite(1);
    for (const state of ['open', 'completed']) {
      if (state === 'completed') channel.writer.complete(boom);
      await expect(channel.reader.read({ signal })).rejects.toBe(reason);
      await expect(channel.reader.waitToRead({ signal })).rejects.toBe(reason);
      await expect(channel.writer.write(1, { signal })).rejects.toBe(reason);
      await expect(channel.writer.waitToWrite({ signal })).rejects.toBe(reason);
    }
    expect(channel.reader.count).toBe(room > 0 ? 1 : 0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('C22 a cancelled read() loses no item: the next write goes to the next reader', async () => {
    const { reader, writer } = create();
    const controller = new AbortController();
    const first = reader.read({ signal: controller.signal });
    const second = reader.read();
    controller.abort(boom);
    await expect(first).rejects.toBe(boom);
    expect(writer.tryWrite(7)).toBe(true);
    expect(await second).toBe(7);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('C22 a cancelled waitToRead() leaves the others waiting', async () => {
    const { reader, writer } = create();
    const controller = new AbortController();
    const cancelled = reader.waitToRead({ signal: controller.signal });
    const other = reader.waitToRead();
    controller.abort(boom);
    await expect(cancelled).rejects.toBe(boom);
    expect(await outcome(other)).toBe(pending);
    writer.complete();
    expect(await other).toBe(false);
  });

  it('C26 readAll() is cold, and its iterator stays done once it is', async () => {
    const { reader, writer } = create();
    const items = reader.readAll();
    const iterator = items[Symbol.asyncIterator]();
    expect(items[Symbol.asyncIterator]()).not.toBe(iterator);
    const step = iterator.next();
    expect(writer.tryWrite(1)).toBe(true);
    expect(await step).toEqual({ done: false, value: 1 });
    writer.complete();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('C27 readAll() throws before the first step when the signal is aborted, then is done', async () => {
    const { reader, writer } = create();
    writer.tryWrite(1);
    const iterator = reader.readAll({ signal: aborted(boom) })[Symbol.asyncIterator]();
    await expect(iterator.next()).rejects.toBe(boom);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('C27 readAll() throws when the signal aborts while it waits, then is done', async () => {
    const { reader } = create();
    const controller = new AbortController();
    const iterator = reader.readAll({ signal: controller.signal })[Symbol.asyncIterator]();
    const step = iterator.next();
    controller.abort(boom);
    await expect(step).rejects.toBe(boom);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('C29 return() ends a step that waits, and the next item goes to others', async () => {
    const { reader, writer } = create();
    const iterator = reader[Symbol.asyncIterator]();
    expect(iterator[Symbol.asyncIterator]()).toBe(iterator);
    const steps = [iterator.next(), iterator.next()];
    await outcome(Promise.resolve());
    expect(await iterator.return!()).toEqual({ done: true, value: undefined });
    for (const step of steps) expect(await step).toEqual({ done: true, value: undefined });
    const read = reader.read();
    writer.tryWrite(5);
    expect(await read).toBe(5);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('C40 C41 readers who wait are served in order, directly, and the item is never counted', async () => {
    const { reader, writer } = create();
    const reads = [reader.read(), reader.read(), reader.read()];
    for (const item of [3, 1, 2]) {
      expect(writer.tryWrite(item)).toBe(true);
      expect(reader.count).toBe(0);
    }
    expect(await Promise.all(reads)).toEqual([3, 1, 2]);
  });

  it('C42 read() is served before waitToRead(), which is not woken', async () => {
    const { reader, writer } = create();
    const watch = reader.waitToRead();
    const read = reader.read();
    writer.tryWrite(1);
    expect(await read).toBe(1);
    expect(await outcome(watch)).toBe(pending);
    writer.complete();
    expect(await watch).toBe(false);
  });

  it('C44 waitToWrite() says true at once while a reader waits', async () => {
    const { reader, writer } = create();
    const read = reader.read();
    expect(await writer.waitToWrite()).toBe(true);
    writer.tryWrite(1);
    expect(await read).toBe(1);
  });

  it('refuses undefined, which means "no item", with a TypeError that has a code', () => {
    const { writer } = create();
    const nothing = undefined as unknown as number;
    expect(() => writer.tryWrite(nothing)).toThrow(UndefinedItemError);
    expect(() => writer.write(nothing)).toThrow(TypeError);
    writer.complete();
    expect(() => writer.write(nothing)).toThrow(expect.objectContaining({ code: 'UNDEFINED_ITEM' }));
  });

  it.each([
    ['null', null, 'ARGUMENT_OUT_OF_RANGE'],
    ['the signal itself', new AbortController().signal, 'ARGUMENT_OUT_OF_RANGE'],
    ['no object', 5, 'ARGUMENT_OUT_OF_RANGE'],
    ['a controller as signal', { signal: new AbortController() }, 'ARGUMENT_OUT_OF_RANGE'],
    ['null as signal', { signal: null }, 'ARGUMENT_OUT_OF_RANGE'],
    ['an unknown key', { sginal: aborted() }, 'UNKNOWN_OPTION'],
  ])('throws synchronously for wrong wait options: %s', (_, options, code) => {
    const { reader, writer } = create();
    const wrong = options as unknown as { signal: AbortSignal };
    const coded = expect.objectContaining({ code });
    expect(() => reader.read(wrong)).toThrow(coded);
    expect(() => reader.waitToRead(wrong)).toThrow(coded);
    expect(() => reader.readAll(wrong)).toThrow(coded);
    expect(() => writer.write(1, wrong)).toThrow(coded);
    expect(() => writer.waitToWrite(wrong)).toThrow(coded);
  });

  it('leaves no abort listener behind, however the waits end', async () => {
    const { reader, writer } = create();
    const { signal } = new AbortController();
    const reads = [reader.read({ signal }), reader.read({ signal }), reader.waitToRead({ signal })];
    const step = reader.readAll({ signal })[Symbol.asyncIterator]().next();
    await outcome(step);
    // One for all of them: Node warns of a leak at eleven.
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    writer.tryWrite(1);
    writer.complete();
    await Promise.allSettled([...reads, step]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe.each(buffering)('$name channel, with items in it', ({ create, room }) => {
  it('C13 C14 what is buffered stays readable after completion, which settles when it has been read', async () => {
    for (const error of [undefined, boom]) {
      const { reader, writer } = create();
      writer.tryWrite(4);
      writer.complete(error);
      expect(await outcome(reader.completion.catch((reason: unknown) => reason))).toBe(pending);
      expect(await reader.waitToRead()).toBe(true);
      expect(reader.tryPeek()).toBe(4);
      expect(await reader.read()).toBe(4);
      expect(await outcome(reader.completion.catch((reason: unknown) => reason))).toBe(error);
    }
  });

  it('C10 waitToWrite() answers for the completion although items are left to read', async () => {
    const { writer } = create();
    writer.tryWrite(1);
    writer.complete(boom);
    await expect(writer.waitToWrite()).rejects.toBe(boom);
  });

  it('C11 readAll() delivers what is buffered before the error', async () => {
    const { reader, writer } = create();
    writer.tryWrite(4);
    writer.complete(boom);
    const seen: number[] = [];
    const loop = (async () => {
      for await (const item of reader) seen.push(item);
    })();
    await expect(loop).rejects.toBe(boom);
    expect(seen).toEqual([4]);
  });

  it('C25 C43 the first item wakes all who watch, once', async () => {
    const { reader, writer } = create();
    const watchers = [reader.waitToRead(), reader.waitToRead(), reader.waitToRead()];
    expect(await outcome(watchers[0]!)).toBe(pending);
    writer.tryWrite(1);
    expect(await Promise.all(watchers)).toEqual([true, true, true]);
    expect(reader.count).toBe(1);
  });

  it('C24 a hint is no reservation: one of two who were woken finds nothing', async () => {
    const { reader, writer } = create();
    const take = async (): Promise<number | undefined> =>
      (await reader.waitToRead()) ? reader.tryRead() : undefined;
    const takers = Promise.all([take(), take()]);
    writer.tryWrite(1);
    expect(await takers).toEqual([1, undefined]);
  });

  it('C28 readAll() goes on delivering what is buffered after an abort', async () => {
    const { reader, writer } = create();
    const controller = new AbortController();
    const iterator = reader.readAll({ signal: controller.signal })[Symbol.asyncIterator]();
    writer.tryWrite(1);
    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    writer.tryWrite(2);
    controller.abort(boom);
    expect(await iterator.next()).toEqual({ done: false, value: 2 });
    await expect(iterator.next()).rejects.toBe(boom);
  });

  it('C29 leaving the loop consumes nothing extra and completes nothing', async () => {
    const { reader, writer } = create();
    fill({ reader, writer }, Math.min(room, 3));
    const before = reader.count;
    for await (const item of reader) {
      expect(item).toBe(1);
      break;
    }
    expect(reader.count).toBe(before - 1);
    expect(writer.tryWrite(9)).toBe(true);
  });

  it('C29 return() after a step was served harms nobody who waits since', async () => {
    const { reader, writer } = create();
    const iterator = reader[Symbol.asyncIterator]();
    const step = iterator.next();
    writer.tryWrite(1);
    const other = reader.read();
    await iterator.return!();
    expect(await step).toEqual({ done: false, value: 1 });
    writer.tryWrite(2);
    expect(await other).toBe(2);
  });

  it('C30 with data there every way of reading is done at once', async () => {
    const { reader, writer } = create();
    writer.tryWrite(1);
    expect(await Promise.race([reader.waitToRead(), Promise.resolve(pending)])).toBe(true);
    expect(await Promise.race([reader.read(), Promise.resolve(pending)])).toBe(1);
    writer.tryWrite(2);
    const step = reader[Symbol.asyncIterator]().next();
    expect(reader.count).toBe(0);
    expect(await step).toEqual({ done: false, value: 2 });
  });

  it('C32 tryPeek() shows the next item and leaves it', () => {
    const { reader, writer } = create();
    expect(reader.tryPeek()).toBeUndefined();
    writer.tryWrite(1);
    expect(reader.tryPeek()).toBe(1);
    expect(reader.tryPeek()).toBe(1);
    expect(reader.tryRead()).toBe(1);
    expect(reader.tryPeek()).toBeUndefined();
  });

  it('C33 C34 count is the number of buffered items', () => {
    const { reader, writer } = create();
    fill({ reader, writer }, Math.min(room, 3));
    expect(reader.count).toBe(Math.min(room, 3));
    reader.tryRead();
    expect(reader.count).toBe(Math.min(room, 3) - 1);
  });

  it('C58 reading and completing in either order settles completion', async () => {
    const readFirst = create();
    readFirst.writer.tryWrite(1);
    readFirst.reader.tryRead();
    readFirst.writer.complete();
    const completeFirst = create();
    completeFirst.writer.tryWrite(1);
    completeFirst.writer.complete();
    completeFirst.reader.tryRead();
    await Promise.all([readFirst.reader.completion, completeFirst.reader.completion]);
    expect(await completeFirst.reader.waitToRead()).toBe(false);
  });
});

describe.each(waiting)('$name channel, busy', ({ create }) => {
  it('C31 one producer and one consumer: everything arrives, in order', async () => {
    const { reader, writer } = create();
    const items = Array.from({ length: 50 }, (_, index) => index);
    const produce = async (): Promise<void> => {
      for (const item of items) await writer.write(item);
      writer.complete();
    };
    const [received] = await Promise.all([collect(reader), produce()]);
    expect(received).toEqual(items);
    await reader.completion;
  });

  it('C26 several consumers share the items out', async () => {
    const { reader, writer } = create();
    const consumers = [collect(reader), collect(reader.readAll()), collect(reader)];
    const items = Array.from({ length: 30 }, (_, index) => index);
    for (const item of items) await writer.write(item);
    writer.complete();
    const received = (await Promise.all(consumers)).flat();
    expect(received.toSorted(compare)).toEqual(items);
  });

  it('C29 loops of one step each see every item', async () => {
    const { reader, writer } = create();
    for (const item of [1, 2, 3, 4, 5]) give({ reader, writer }, item);
    const seen: number[] = [];
    for (let round = 0; round < 5; round++) {
      for await (const item of reader) {
        seen.push(item);
        break;
      }
    }
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });
});

describe.each(blocking)('$name channel, full', ({ create, room }) => {
  function full(): Channel<number> {
    const channel = create();
    fill(channel, room);
    return channel;
  }

  it('C37 tryWrite() is refused, write() and waitToWrite() wait', async () => {
    const { reader, writer } = full();
    expect(writer.tryWrite(99)).toBe(false);
    const write = writer.write(99);
    expect(await outcome(writer.waitToWrite())).toBe(pending);
    expect(await outcome(write)).toBe(pending);
    expect(reader.count).toBe(room);
  });

  it('C19 C20 completing refuses writers who wait and discards their items', async () => {
    const { reader, writer } = full();
    const write = writer.write(99);
    const watch = writer.waitToWrite();
    writer.complete(boom);
    await expect(write).rejects.toEqual(closedBy(boom));
    await expect(watch).rejects.toBe(boom);
    const seen: number[] = [];
    for (let item = reader.tryRead(); item !== undefined; item = reader.tryRead()) seen.push(item);
    expect(seen).not.toContain(99);
    expect(seen).toHaveLength(room);
  });

  it('C19 a plain completion tells those who watch for space "no"', async () => {
    const { writer } = full();
    const watch = writer.waitToWrite();
    const write = writer.write(99);
    writer.complete();
    expect(await watch).toBe(false);
    await expect(write).rejects.toThrow(ChannelClosedError);
  });

  it('C23 a cancelled write() is never delivered, and those behind it keep their order', async () => {
    const { reader, writer } = full();
    const controllers = [101, 102, 103, 104].map((item) => ({ item, controller: new AbortController() }));
    const writes = controllers.map(({ item, controller }) =>
      writer.write(item, { signal: controller.signal }),
    );
    controllers[0]!.controller.abort(boom);
    controllers[2]!.controller.abort(boom);
    await expect(writes[0]).rejects.toBe(boom);
    await expect(writes[2]).rejects.toBe(boom);
    const seen: (number | undefined)[] = [];
    for (let i = 0; i < room + 2; i++) seen.push(reader.tryRead());
    expect(seen.slice(room)).toEqual([102, 104]);
    await Promise.all([writes[1], writes[3]]);
    for (const { controller } of controllers) {
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    }
  });

  it('C25 C39 space wakes all who watch for it, but not while a writer waits for it', async () => {
    if (room === 0) return;
    const { reader, writer } = full();
    const write = writer.write(99);
    const watchers = [writer.waitToWrite(), writer.waitToWrite()];
    reader.tryRead();
    await write;
    expect(await outcome(watchers[0]!)).toBe(pending);
    reader.tryRead();
    expect(await Promise.all(watchers)).toEqual([true, true]);
  });

  it('C38 a read promotes the oldest blocked writer', async () => {
    const { reader, writer } = full();
    const settled: number[] = [];
    for (const item of [101, 102]) void writer.write(item).then(() => settled.push(item));
    reader.tryRead();
    expect(writer.tryWrite(999)).toBe(false);
    expect(reader.count).toBe(room);
    await outcome(Promise.resolve());
    expect(settled).toEqual([101]);
  });

  it('C34 C45 blocked writers are not counted, whatever their number', async () => {
    const { reader, writer } = full();
    const writes = Array.from({ length: 100 }, (_, index) => writer.write(100 + index));
    expect(reader.count).toBe(room);
    const seen: number[] = [];
    for (let i = 0; i < room + 100; i++) {
      seen.push(await reader.read());
      expect(reader.count).toBeLessThanOrEqual(room);
    }
    await Promise.all(writes);
    expect(seen).toEqual(seen.toSorted(compare));
  });
});
