/**
 * The root of every error that Nightshift throws. `code` is API and never changes for a given condition;
 * `message` is for people and may.
 */
export abstract class NightshiftError extends Error {
  /** A stable, literal identifier of the condition, for example `'CHANNEL_CLOSED'`. */
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/**
 * An argument or option whose value cannot be used. Thrown synchronously, before anything has changed.
 *
 * @see .NET `ArgumentOutOfRangeException`
 */
export class ArgumentOutOfRangeError extends NightshiftError {
  readonly code = 'ARGUMENT_OUT_OF_RANGE';

  constructor(
    /** The name or path of the argument, for example `'capacity'`. */
    readonly argument: string,
    readonly got: unknown,
    /** What would have been accepted, as a phrase: `'a whole number of 0 or more'`. */
    readonly expected: string,
  ) {
    super(`${argument} must be ${expected}, but got ${describeValue(got)}.`);
  }
}

/** An option with a name that nothing reads: nearly always a slip of the pen. Thrown synchronously. */
export class UnknownOptionError extends NightshiftError {
  readonly code = 'UNKNOWN_OPTION';

  constructor(
    /** The name as it was written. */
    readonly option: string,
    /** The names that would have been read. */
    readonly known: readonly string[],
    /** The known name that is most likely meant, if one is close. */
    readonly suggestion?: string,
  ) {
    const hint = suggestion === undefined ? '' : ` Did you mean ${describeValue(suggestion)}?`;
    super(`There is no option ${describeValue(option)}.${hint} Known options: ${known.join(', ')}.`);
  }
}

/** Options that cannot be used: all that is wrong with them, so that it can be mended in one go. */
export class InvalidOptionsError extends NightshiftError {
  readonly code = 'INVALID_OPTIONS';

  constructor(
    /** What the options belong to, for example `'createBoundedChannel'`. */
    readonly owner: string,
    /** {@link ArgumentOutOfRangeError} and {@link UnknownOptionError}, in the order in which they were found. */
    readonly problems: readonly NightshiftError[],
  ) {
    const lines = problems.map((problem) => `\n- ${problem.message}`);
    const count = problems.length === 1 ? 'an option' : `${problems.length} options`;
    super(`${owner} got ${count} that cannot be used:${lines.join('')}`);
  }
}

/**
 * The channel is completed: nothing can be written to it any more, or nothing is left to read.
 * `cause` is the error it was completed with, if there was one.
 *
 * @see .NET `ChannelClosedException`
 */
export class ChannelClosedError extends NightshiftError {
  readonly code = 'CHANNEL_CLOSED';

  /** @param completionError what was given to `complete()`; `undefined` or `null` for none */
  constructor(completionError?: unknown) {
    if (completionError === undefined || completionError === null) {
      super(
        'The channel is closed: its writer was completed. Where that is expected, look at what ' +
          'waitToRead() or waitToWrite() resolves to, or iterate the reader.',
      );
    } else {
      super(`The channel is closed: its writer was completed with ${describeValue(completionError)}.`, {
        cause: completionError,
      });
    }
  }
}

/** `undefined` was written to a channel, where it means "no item". Thrown synchronously. */
export class UndefinedItemError extends TypeError {
  readonly code = 'UNDEFINED_ITEM';

  constructor() {
    super(
      'undefined cannot be an item of a channel: tryRead() returns it to say that there is none. ' +
        'Write null, or wrap the value in an object.',
    );
    this.name = new.target.name;
  }
}

/**
 * A second wait was started on something that serves one at a time. Thrown synchronously; the first is unharmed.
 *
 * @see .NET `InvalidOperationException` of `PeriodicTimer.WaitForNextTickAsync`
 */
export class ConcurrentWaitError extends NightshiftError {
  readonly code = 'CONCURRENT_WAIT';

  constructor() {
    super(
      'This timer is already being waited for. Await the first waitForNextTick() before the next, ' +
        'or give each loop a PeriodicTimer of its own.',
    );
  }
}

/**
 * A disposed timer was told to go on.
 *
 * @see .NET `ObjectDisposedException`
 */
export class TimerDisposedError extends NightshiftError {
  readonly code = 'TIMER_DISPOSED';

  constructor() {
    super('The period of a disposed timer cannot be changed. Create a new PeriodicTimer.');
  }
}

const longestQuote = 60;

/** A value as it should appear in a message: short, quoted when it is a string, and never throwing. */
export function describeValue(value: unknown): string {
  try {
    return describe(value);
  } catch {
    return `something that cannot be shown (${typeof value})`;
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return value.name ? `function ${value.name}` : 'a function';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value === 'object' && value !== null) {
    return `an object (${value.constructor?.name ?? 'no prototype'})`;
  }
  return String(value);
}

function quote(text: string): string {
  return text.length > longestQuote ? `'${text.slice(0, longestQuote)}...'` : `'${text}'`;
}
