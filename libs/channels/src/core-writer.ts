import type { ChannelWriter } from './channel.js';
import type { ChannelCore } from './channel-core.js';
import { UndefinedItemError } from './errors.js';
import { signalOf, type WaitOptions } from './wait-options.js';

// One promise for every write that is done at once: it says nothing about its item.
const done = Promise.resolve();
const yes = Promise.resolve(true);

/** The writing end over a {@link ChannelCore}. */
export class CoreWriter<T> implements ChannelWriter<T> {
  constructor(private readonly core: ChannelCore<T>) {}

  tryWrite(item: T): boolean {
    if (item === undefined) throw new UndefinedItemError();
    return this.core.offer(item);
  }

  write(item: T, options?: WaitOptions): Promise<void> {
    if (item === undefined) throw new UndefinedItemError();
    const signal = signalOf(options);
    if (signal !== undefined && signal.aborted) return Promise.reject(signal.reason);
    if (this.core.offer(item)) return done;
    return this.core.isCompleted ? Promise.reject(this.core.refusal) : this.core.waitForSpace(item, signal);
  }

  waitToWrite(options?: WaitOptions): Promise<boolean> {
    const signal = signalOf(options);
    if (signal !== undefined && signal.aborted) return Promise.reject(signal.reason);
    if (this.core.isCompleted) return this.core.lastAnswer;
    return this.core.canWrite ? yes : this.core.watchingWriters.wait(undefined, signal);
  }

  complete(error?: unknown): void {
    if (!this.core.close(error)) throw this.core.refusal;
  }

  tryComplete(error?: unknown): boolean {
    return this.core.close(error);
  }
}
