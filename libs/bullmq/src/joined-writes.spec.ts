import { EventEmitter, once } from 'node:events';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { joinWrites } from './joined-writes.js';

function setup() {
  const writes: string[][] = [];
  const connect = (): Writable =>
    new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        writes.push([chunk]);
        done();
      },
      writev(chunks: { chunk: string }[], done) {
        writes.push(chunks.map(({ chunk }) => chunk));
        done();
      },
    });
  const client = Object.assign(new EventEmitter(), { stream: connect() as Writable | null });
  return { client, connect, writes, end: joinWrites(client) };
}

const written = (stream: Writable): Promise<unknown> => {
  stream.end();
  return once(stream, 'finish');
};

describe('joinWrites', () => {
  it('sends what is written in one turn at once, and in its order', async () => {
    const { client, writes } = setup();
    client.stream!.write('a');
    await Promise.resolve();
    client.stream!.write('b');
    expect(writes).toEqual([]);
    await written(client.stream!);
    expect(writes).toEqual([['a', 'b']]);
  });

  it('sends what is written in another turn for itself', async () => {
    const { client, writes } = setup();
    client.stream!.write('a');
    await new Promise(process.nextTick);
    client.stream!.write('b');
    await written(client.stream!);
    expect(writes).toEqual([['a'], ['b']]);
  });

  it('does so on the connections that come later', async () => {
    const { client, connect, writes } = setup();
    client.stream = connect();
    client.emit('connect');
    client.emit('connect');
    client.stream.write('a');
    client.stream.write('b');
    await written(client.stream);
    expect(writes).toEqual([['a', 'b']]);
  });

  it('tells the writer what the stream does', async () => {
    const { client } = setup();
    const done = new Promise((resolve) => client.stream!.write('a', resolve));
    await expect(done).resolves.toBeFalsy(); // no error
  });

  it('waits for a client that has no connection yet', () => {
    const client = Object.assign(new EventEmitter(), { stream: null });
    expect(() => joinWrites(client)).not.toThrow();
  });

  it('does not look at the client any more when it has ended', () => {
    const { client, end } = setup();
    end();
    expect(client.listenerCount('connect')).toBe(0);
  });
});
