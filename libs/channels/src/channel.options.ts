import { ArgumentOutOfRangeError } from './errors.js';
import { isOptionsObject, OptionsCheck } from './options-check.js';

/**
 * What a write does when the channel is full.
 *
 * - `'wait'`: it waits for space (backpressure). Nothing is ever lost.
 * - `'dropOldest'`: the buffered item that has been there longest is dropped. For the latest state of things.
 * - `'dropNewest'`: the buffered item that came in last is dropped; the one being written is kept.
 * - `'dropWrite'`: the item being written is dropped.
 *
 * In the drop modes no write ever waits, and each one counts as successful: only `onDropped` hears of the loss. On a
 * rendezvous channel, which holds nothing, all three drop the item being written unless somebody waits in `read()`.
 *
 * In a priority channel oldest and newest still speak of arrival, not of urgency: `'dropOldest'` may drop the most
 * urgent item, when it is the one that has been there longest.
 *
 * @see .NET `BoundedChannelFullMode`
 */
export type FullMode = 'wait' | 'dropNewest' | 'dropOldest' | 'dropWrite';

/** What {@link createBoundedChannel} takes. */
export interface BoundedChannelOptions<T = unknown> {
  /**
   * The largest number of items that may be buffered: a whole number. 0 makes a rendezvous channel, where each write
   * meets a read and nothing is buffered. Memory is used as items come, not set aside.
   */
  readonly capacity: number;
  /** @default 'wait' */
  readonly fullMode?: FullMode | undefined;
  /**
   * Called once for each item that a drop mode drops, inside the write that caused it and after the channel has its
   * new state, so the channel can be used from here. If it throws, so does that write, although it has taken effect.
   * Items discarded because the channel was completed or a waiting write was cancelled are not reported here: their
   * writers know.
   *
   * @default nobody is told
   */
  readonly onDropped?: ((item: T) => void) | undefined;
}

/** What {@link createPriorityChannel} takes. */
export interface PriorityChannelOptions<T> {
  /**
   * Orders two items as `Array.prototype.sort` does: a negative number when `a` is to be read before `b`. Equal items
   * are read in the order in which they were written. It must not write to the channel. When it throws, the write
   * that brought the item fails with that error and the channel stays as it was.
   */
  readonly compare: (a: T, b: T) => number;
  /**
   * The largest number of items that may be buffered: 1 or more. Writers who wait for space get it in the order in
   * which they came; priority counts among what is buffered.
   *
   * @default none: the channel is unbounded
   */
  readonly capacity?: number | undefined;
  /** Only together with `capacity`. @default 'wait' */
  readonly fullMode?: FullMode | undefined;
  /** Only together with `capacity`. See {@link BoundedChannelOptions.onDropped}. */
  readonly onDropped?: ((item: T) => void) | undefined;
}

/** How full a channel may get, and what happens then: complete, checked options. */
export interface Fullness<T> {
  readonly capacity: number;
  readonly fullMode: FullMode;
  readonly onDropped: ((item: T) => void) | undefined;
}

type FullOptions<T> = Pick<BoundedChannelOptions<T>, 'fullMode' | 'onDropped'>;

export const unboundedFullness: Fullness<unknown> = Object.freeze({
  capacity: Number.POSITIVE_INFINITY,
  fullMode: 'wait',
  onDropped: undefined,
});

const fullModes: readonly unknown[] = ['wait', 'dropNewest', 'dropOldest', 'dropWrite'];
const boundedKeys = ['capacity', 'fullMode', 'onDropped'];

/** Checked bounded options, reporting all problems at once. */
export function resolveBounded<T>(given: number | BoundedChannelOptions<T>): Fullness<T> {
  if (typeof given !== 'number' && !isOptionsObject(given)) {
    throw new ArgumentOutOfRangeError('options', given, 'a capacity, or an object such as { capacity: 100 }');
  }
  const options: BoundedChannelOptions<T> = typeof given === 'number' ? { capacity: given } : given;
  const check = new OptionsCheck('createBoundedChannel');
  check.knownKeys(options, boundedKeys);
  expectCapacity(check, options.capacity, 0, 'a whole number of 0 or more');
  expectModes(check, options);
  check.throwIfAny();
  return fullnessOf(options.capacity, options);
}

/** Checked priority options, reporting all problems at once. */
export function resolvePriority<T>(options: PriorityChannelOptions<T>): Fullness<T> {
  if (!isOptionsObject(options)) {
    throw new ArgumentOutOfRangeError('options', options, 'an object such as { compare: (a, b) => a - b }');
  }
  const { capacity, compare } = options;
  const check = new OptionsCheck('createPriorityChannel');
  check.knownKeys(options, ['compare', ...boundedKeys]);
  check.expect(typeof compare === 'function', 'compare', compare, 'a function (a, b) => number');
  expectModes(check, options);
  if (capacity === undefined) {
    const unused = 'left out without a capacity: an unbounded channel is never full';
    check.expect(options.fullMode === undefined, 'fullMode', options.fullMode, unused);
    check.expect(options.onDropped === undefined, 'onDropped', options.onDropped, unused);
  } else {
    expectCapacity(check, capacity, 1, 'a whole number of 1 or more: there is no order among less');
  }
  check.throwIfAny();
  return capacity === undefined ? unboundedFullness : fullnessOf(capacity, options);
}

function expectCapacity(check: OptionsCheck, capacity: number, least: number, expected: string): void {
  check.expect(Number.isSafeInteger(capacity) && capacity >= least, 'capacity', capacity, expected);
}

function expectModes<T>(check: OptionsCheck, options: FullOptions<T>): void {
  const { fullMode, onDropped } = options;
  const modes = `one of ${fullModes.map((mode) => `'${String(mode)}'`).join(', ')}`;
  check.expect(fullMode === undefined || fullModes.includes(fullMode), 'fullMode', fullMode, modes);
  check.expect(
    onDropped === undefined || typeof onDropped === 'function',
    'onDropped',
    onDropped,
    'a function (item) => void',
  );
}

function fullnessOf<T>(capacity: number, options: FullOptions<T>): Fullness<T> {
  return Object.freeze({ capacity, fullMode: options.fullMode ?? 'wait', onDropped: options.onDropped });
}
