import type { Channel, Item } from './channel.js';
import type { ChannelBuffer } from './channel-buffer.js';
import { ChannelCore } from './channel-core.js';
import {
  resolveBounded,
  resolvePriority,
  unboundedFullness,
  type BoundedChannelOptions,
  type Fullness,
  type PriorityChannelOptions,
} from './channel.options.js';
import { CoreReader } from './core-reader.js';
import { CoreWriter } from './core-writer.js';
import { PriorityBuffer } from './priority-buffer.js';
import { RingBuffer } from './ring-buffer.js';

/**
 * A channel that holds at most `capacity` items, first in first out. By default a writer waits when it is full, so a
 * producer cannot run away from its consumer: the right choice unless there is a reason for another. A capacity of 0
 * makes a rendezvous channel, where each write resolves when a reader has taken its item.
 *
 * @example
 * const { reader, writer } = createBoundedChannel<Order>(100);
 * await writer.write(order); // waits while 100 orders are there already
 *
 * @throws {@link ArgumentOutOfRangeError}, {@link UnknownOptionError} or {@link InvalidOptionsError}
 * @see .NET `Channel.CreateBounded<T>`
 */
export function createBoundedChannel<T extends Item>(options: number | BoundedChannelOptions<T>): Channel<T> {
  return channelOver(new RingBuffer<T>(), resolveBounded(options));
}

/**
 * A channel that holds as many items as there is memory, first in first out; no write ever waits. Only for what is
 * bounded elsewhere: a producer that is faster than its consumer for long ends the process.
 *
 * @see .NET `Channel.CreateUnbounded<T>`
 */
export function createUnboundedChannel<T extends Item>(): Channel<T> {
  return channelOver(new RingBuffer<T>(), unboundedFullness);
}

/**
 * A channel that is read smallest first, by `compare`, and in order of arrival among equals; unbounded unless
 * `capacity` is given. Only what is buffered is put in order: a reader who already waits gets whatever comes. A steady
 * stream of urgent items keeps the others waiting for ever.
 *
 * @example
 * const jobs = createPriorityChannel<Job>({ compare: (a, b) => a.priority - b.priority, capacity: 100 });
 *
 * @throws {@link ArgumentOutOfRangeError}, {@link UnknownOptionError} or {@link InvalidOptionsError}
 * @see .NET `Channel.CreateUnboundedPrioritized<T>`
 */
export function createPriorityChannel<T extends Item>(options: PriorityChannelOptions<T>): Channel<T> {
  const fullness = resolvePriority(options);
  return channelOver(new PriorityBuffer<T>(options.compare), fullness);
}

function channelOver<T>(buffer: ChannelBuffer<T>, fullness: Fullness<T>): Channel<T> {
  const core = new ChannelCore<T>(buffer, fullness);
  return Object.freeze({ reader: new CoreReader(core), writer: new CoreWriter(core) });
}
