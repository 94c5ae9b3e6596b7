export { AbortWatch, type Abortable } from './abort-watch.js';
export {
  backoffOf,
  constant,
  exponential,
  linear,
  type Backoff,
  type BackoffPlan,
  type ExponentialOptions,
  type LinearOptions,
} from './backoff.js';
export type { Channel, ChannelReader, ChannelWriter, Item } from './channel.js';
export type { BoundedChannelOptions, FullMode, PriorityChannelOptions } from './channel.options.js';
export { systemClock, type Clock, type ClockTimer } from './clock.js';
export { createBoundedChannel, createPriorityChannel, createUnboundedChannel } from './create-channel.js';
export { formatDuration, toMilliseconds, type Duration } from './duration.js';
export {
  ArgumentOutOfRangeError,
  ChannelClosedError,
  ConcurrentWaitError,
  describeValue,
  InvalidOptionsError,
  NightshiftError,
  TimerDisposedError,
  UndefinedItemError,
  UnknownOptionError,
} from './errors.js';
export { isOptionsObject, nearest, OptionsCheck } from './options-check.js';
export { PeriodicTimer, type PeriodicTimerOptions } from './periodic-timer.js';
export type { WaitOptions } from './wait-options.js';
