import { describe, expect, it } from 'vitest';
import { blocking, buffering, fill, kinds } from './channel-kinds.fixture.js';
import { createBoundedChannel, type Channel } from './index.js';
import { outcome, pending } from './outcome.fixture.js';

const boom = new Error('boom');

/** What a promise is settled with by the time the call that made it has returned. */
const atOnce = (promise: Promise<unknown>): Promise<unknown> =>
  Promise.race([promise, Promise.resolve(pending)]);

describe.each(kinds)('those who wait at a $name channel', ({ create }) => {
  it('C36 go on when the write that serves them has returned', async () => {
    const { reader, writer } = create();
    const log: string[] = [];
    const read = reader.read().then(() => log.push('reader goes on'));
    writer.tryWrite(1);
    log.push('write has returned');
    await read;
    expect(log).toEqual(['write has returned', 'reader goes on']);
  });

  it('C36 go on when the completion that releases them has returned', async () => {
    const { reader, writer } = create();
    const log: string[] = [];
    const watch = reader.waitToRead().then(() => log.push('watcher goes on'));
    writer.complete();
    log.push('complete has returned');
    await watch;
    expect(log).toEqual(['complete has returned', 'watcher goes on']);
  });

  it('C57 hear a plain "no" when the channel is completed after another read() was cancelled', async () => {
    const { reader, writer } = create();
    const controller = new AbortController();
    const read = reader.read({ signal: controller.signal });
    const watch = reader.waitToRead();
    controller.abort(boom);
    await expect(read).rejects.toBe(boom);
    writer.complete();
    expect(await watch).toBe(false);
  });

  it('C26 share no iteration: each readAll() is one of its own, and nothing is taken before its first step', async () => {
    const { reader, writer } = create();
    const [early, late] = [reader.readAll(), reader.readAll()];
    expect(early).not.toBe(late);
    const first = early[Symbol.asyncIterator]();
    const step = late[Symbol.asyncIterator]().next();
    writer.tryWrite(1);
    expect(await step).toEqual({ done: false, value: 1 });
    writer.complete();
    expect(await first.next()).toEqual({ done: true, value: undefined });
  });
});

describe.each(buffering)('a $name channel with room', ({ create }) => {
  it('C22 keeps the item in its buffer when the only read() was cancelled', async () => {
    const { reader, writer } = create();
    const controller = new AbortController();
    const read = reader.read({ signal: controller.signal });
    controller.abort(boom);
    await expect(read).rejects.toBe(boom);
    writer.tryWrite(7);
    expect(reader.count).toBe(1);
    expect(reader.tryRead()).toBe(7);
  });

  it('C14 shows its error only when it is drained', async () => {
    const { reader, writer } = create();
    writer.tryWrite(4);
    writer.complete(boom);
    expect(await reader.waitToRead()).toBe(true);
    expect(await reader.read()).toBe(4);
    await expect(reader.waitToRead()).rejects.toBe(boom);
    await expect(reader.read()).rejects.toMatchObject({ code: 'CHANNEL_CLOSED', cause: boom });
  });

  it('C32 can be peeked at after completion until it is drained', () => {
    const { reader, writer } = create();
    writer.tryWrite(4);
    writer.complete();
    expect(reader.tryPeek()).toBe(4);
    reader.tryRead();
    expect(reader.tryPeek()).toBeUndefined();
  });

  it('C44 says true at once to those who ask for space', async () => {
    const { writer } = create();
    expect(await atOnce(writer.waitToWrite())).toBe(true);
  });

  it('C26 C29 gives a second iteration what the first has left', async () => {
    const { reader, writer } = create();
    writer.tryWrite(1);
    for await (const item of reader) {
      expect(item).toBe(1);
      break;
    }
    writer.tryWrite(2);
    writer.complete();
    const left: number[] = [];
    for await (const item of reader) left.push(item);
    for await (const item of reader) left.push(item);
    expect(left).toEqual([2]);
  });
});

describe.each(blocking)('writers who wait at a full $name channel', ({ create, room }) => {
  function full(): Channel<number> {
    const channel = create();
    fill(channel, room);
    return channel;
  }

  it('C40 are served in the order in which they came', async () => {
    const { reader, writer } = full();
    const served: number[] = [];
    const writes = [101, 102, 103].map((item) => writer.write(item).then(() => served.push(item)));
    for (let reads = 1; reads <= 3; reads++) {
      reader.tryRead();
      await outcome(writes[reads - 1]!);
      expect(served).toEqual([101, 102, 103].slice(0, reads));
    }
  });

  it('C24 find no space when another who was woken has been quicker', async () => {
    const { reader, writer } = full();
    const put = async (item: number): Promise<boolean> =>
      (await writer.waitToWrite()) && writer.tryWrite(item);
    const writers = Promise.all([put(101), put(102)]);
    void reader.read();
    expect(await writers).toEqual([true, false]);
  });
});

describe('writers who wait at a rendezvous channel', () => {
  it('C18 are refused when completion has settled, with an error or without', async () => {
    for (const error of [undefined, boom]) {
      const { reader, writer } = createBoundedChannel<number>(0);
      const order: string[] = [];
      const note = (who: string) => () => void order.push(who);
      writer.write(1).catch(note('writer'));
      reader.completion.then(note('completion'), note('completion'));
      writer.complete(error);
      await outcome(Promise.resolve());
      expect(order).toEqual(['completion', 'writer']);
    }
  });
});

describe('onDropped of a bounded channel', () => {
  it('C54 hears nothing of the item of a write that was cancelled while it waited', async () => {
    const dropped: number[] = [];
    const { writer } = createBoundedChannel<number>({ capacity: 1, onDropped: (item) => dropped.push(item) });
    writer.tryWrite(1);
    const controller = new AbortController();
    const write = writer.write(2, { signal: controller.signal });
    controller.abort(boom);
    await expect(write).rejects.toBe(boom);
    expect(dropped).toEqual([]);
  });

  it.each(['dropOldest', 'dropNewest', 'dropWrite'] as const)(
    'C53 throws out of tryWrite() as well, in the mode %s',
    (fullMode) => {
      const { reader, writer } = createBoundedChannel<number>({
        capacity: 1,
        fullMode,
        onDropped() {
          throw boom;
        },
      });
      writer.tryWrite(1);
      expect(() => writer.tryWrite(2)).toThrow(boom);
      expect(reader.tryRead()).toBe(fullMode === 'dropWrite' ? 1 : 2);
    },
  );
});
