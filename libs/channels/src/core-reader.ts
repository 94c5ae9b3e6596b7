import type { ChannelReader } from './channel.js';
import type { ChannelCore } from './channel-core.js';
import { ChannelIterator } from './channel-iterator.js';
import { signalOf, type WaitOptions } from './wait-options.js';

const yes = Promise.resolve(true);

/** The reading end over a {@link ChannelCore}. */
export class CoreReader<T> implements ChannelReader<T> {
  constructor(private readonly core: ChannelCore<T>) {}

  get count(): number {
    return this.core.count;
  }

  get completion(): Promise<void> {
    return this.core.completion;
  }

  tryRead(): T | undefined {
    return this.core.take();
  }

  tryPeek(): T | undefined {
    return this.core.peek();
  }

  read(options?: WaitOptions): Promise<T> {
    const signal = signalOf(options);
    if (signal !== undefined && signal.aborted) return Promise.reject(signal.reason);
    const item = this.core.take();
    if (item !== undefined) return Promise.resolve(item);
    return this.core.isDrained ? Promise.reject(this.core.refusal) : this.core.waitForItem(signal);
  }

  waitToRead(options?: WaitOptions): Promise<boolean> {
    const signal = signalOf(options);
    if (signal !== undefined && signal.aborted) return Promise.reject(signal.reason);
    if (this.core.canRead) return yes;
    return this.core.isDrained ? this.core.lastAnswer : this.core.watchingReaders.wait(undefined, signal);
  }

  readAll(options?: WaitOptions): AsyncIterable<T> {
    const signal = signalOf(options);
    return { [Symbol.asyncIterator]: () => new ChannelIterator(this.core, signal) };
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return new ChannelIterator(this.core, undefined);
  }
}
