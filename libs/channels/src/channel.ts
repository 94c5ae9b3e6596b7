import type { WaitOptions } from './wait-options.js';

/**
 * What can be an item of a channel: any value but `undefined`, which `tryRead()` gives when there is none. Code that is
 * generic in the items of the channels that it creates extends this: `<T extends Item>`.
 */
export type Item = NonNullable<unknown> | null;

/**
 * Hands items from those who produce them to those who consume them, in one process. Give each side only its end.
 *
 * Use it to decouple the pace of two pieces of code, to bound how much may pile up between them (backpressure), or
 * to share work out: each item goes to exactly one reader. It is no event bus: there is no fan-out, and nothing is
 * kept when the process ends.
 *
 * A channel is *open* until its writer completes it, and *drained* once it is completed and its last item is read.
 * All its methods act in one synchronous step, so what they say is true when they return, and no longer.
 *
 * Any value but `undefined` can be an item. Mind one thing with promises as items: `read()` resolves to what the
 * promise resolves to, as promises do; `tryRead()` and iteration hand over the promise itself.
 *
 * @see .NET `System.Threading.Channels.Channel<T>`
 */
export interface Channel<T> {
  readonly reader: ChannelReader<T>;
  readonly writer: ChannelWriter<T>;
}

/**
 * The end of a channel that items come out of. Any number of readers may use it at once; those who wait are served
 * in the order in which they came. Iterating it is the same as `readAll()`.
 *
 * @example
 * for await (const order of channel.reader) await ship(order);
 *
 * @see .NET `ChannelReader<T>`
 */
export interface ChannelReader<T> extends AsyncIterable<T> {
  /**
   * The number of items that can be read without a writer's help. Items of writers who still wait for space are not
   * counted, so it never exceeds the capacity and is always 0 on a rendezvous channel.
   */
  readonly count: number;

  /**
   * Settles once the channel is drained, and before anyone who waits is told: resolves after a plain completion,
   * rejects with the very error that the channel was completed with otherwise. It is always the same promise, and
   * nobody has to look at it: its rejection never counts as unhandled.
   */
  readonly completion: Promise<void>;

  /** Takes the next item, or returns `undefined` when none is to be had now, be the channel open or not. */
  tryRead(): T | undefined;

  /** The item that `tryRead()` would take, left where it is. */
  tryPeek(): T | undefined;

  /**
   * Takes the next item, waiting for one if need be. A waiting reader is handed its item directly by the writer.
   * Giving up costs nobody an item.
   *
   * Rejects with
   * - `signal.reason` when the signal aborts first, or had aborted before;
   * - {@link ChannelClosedError} when the channel is drained, now or while waiting, with the completion error as
   *   `cause`; a completion error named `AbortError` is a cancellation and comes itself, unwrapped.
   */
  read(options?: WaitOptions): Promise<T>;

  /**
   * Waits until an item is there: `true` then, `false` once the channel is drained. `true` is a hint and no
   * reservation, since another reader may be quicker: call `tryRead()` and, on `undefined`, wait again. Readers who
   * wait in `read()` are served before those who wait here; all who wait here are woken together.
   *
   * Rejects with `signal.reason`, or with the completion error itself once the channel is drained.
   *
   * Prefer `read()` or iteration where one item at a time is taken.
   */
  waitToRead(options?: WaitOptions): Promise<boolean>;

  /**
   * Every item from now until the channel is drained. Nothing happens before the first step, each iteration reads
   * what is left, and several at once share the items out. A step that waits does so in line with those in `read()`.
   *
   * It ends quietly after a plain completion, and throws the completion error itself after one with an error, in
   * both cases when everything buffered has been delivered. `signal` is looked at before the first step and whenever
   * there is nothing to read: what has already been buffered is still delivered after an abort. Leaving the loop
   * takes no further item and does not complete the channel.
   */
  readAll(options?: WaitOptions): AsyncIterable<T>;

  /** The same as `readAll()` without a signal. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T>;
}

/**
 * The end of a channel that items go into. Any number of writers may use it at once; those who wait for space get it
 * in the order in which they came.
 *
 * @see .NET `ChannelWriter<T>`
 */
export interface ChannelWriter<T> {
  /**
   * Writes the item if that is possible at once. `false` when the channel is completed, or full in the mode `'wait'`.
   * A drop mode says `true` of an item that it drops as well; `onDropped` hears of it.
   *
   * @throws {@link UndefinedItemError} (a TypeError) when the item is `undefined`
   */
  tryWrite(item: T): boolean;

  /**
   * Writes the item, waiting for space if need be, and resolves when the channel has taken it: into its buffer, or
   * on a rendezvous channel into a reader's hands. Nobody who comes later gets in before.
   *
   * Rejects, and the item is never delivered, with
   * - `signal.reason` when the signal aborts first, or had aborted before;
   * - {@link ChannelClosedError} when the channel is completed, now or while waiting, with the completion error as
   *   `cause`; a completion error named `AbortError` is a cancellation and comes itself, unwrapped.
   *
   * @throws {@link UndefinedItemError} (a TypeError) synchronously when the item is `undefined`
   */
  write(item: T, options?: WaitOptions): Promise<void>;

  /**
   * Waits until an item could be written: `true` then, `false` once the channel is completed. `true` is a hint and no
   * reservation: call `tryWrite()` and, on `false`, wait again. Writers who wait in `write()` get space before those
   * who wait here; all who wait here are woken together. On a rendezvous channel "could be written" means that
   * somebody waits in `read()`; somebody in `waitToRead()` does not count.
   *
   * Rejects with `signal.reason`, or with the completion error itself.
   */
  waitToWrite(options?: WaitOptions): Promise<boolean>;

  /**
   * Says that nothing more will be written. What is buffered can still be read. Waiting writers are refused and their
   * items discarded; waiting readers are released.
   *
   * @param error why, if something went wrong; `undefined` or `null` for a plain completion
   * @throws {@link ChannelClosedError} when the channel has been completed before
   */
  complete(error?: unknown): void;

  /** As `complete()`, but returns `false` instead of throwing. The first completion decides. */
  tryComplete(error?: unknown): boolean;
}
