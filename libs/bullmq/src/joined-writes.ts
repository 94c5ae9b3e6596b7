import type { Writable } from 'node:stream';

/** A client of ioredis, as far as it matters here. */
interface Connecting {
  on(event: 'connect', listener: () => void): unknown;
  off(event: 'connect', listener: () => void): unknown;
  /** The socket of the present connection. Not there before the first, nor on a cluster. */
  readonly stream?: Writable | null;
}

/**
 * What a client sends in one turn of the event loop goes out together. ioredis hands each command to the system by itself,
 * which costs more than the command does when there are many; its own pipelines would answer for that with errors of their own
 * when a connection is lost in the middle.
 *
 * @returns ends that, for the connections to come
 */
export function joinWrites(client: Connecting): () => void {
  const joined = new WeakSet<Writable>();
  const join = (): void => {
    const { stream } = client;
    if (stream === undefined || stream === null || joined.has(stream)) return;
    joined.add(stream);
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    let isJoining = false;
    const end = (): void => {
      isJoining = false;
      stream.uncork();
    };
    stream.write = (...args: unknown[]): boolean => {
      if (!isJoining) {
        isJoining = true;
        stream.cork();
        process.nextTick(end);
      }
      return write(...args);
    };
  };
  join();
  client.on('connect', join);
  return () => client.off('connect', join);
}
