import {
  ArgumentOutOfRangeError,
  InvalidOptionsError,
  UnknownOptionError,
  type NightshiftError,
} from './errors.js';

/**
 * Gathers everything that is wrong with one options object, so that it can be reported at once.
 *
 * @example
 * const check = new OptionsCheck('createPool');
 * check.knownKeys(options, ['size']);
 * check.expect(Number.isInteger(options.size), 'size', options.size, 'a whole number');
 * check.throwIfAny();
 */
export class OptionsCheck {
  private readonly problems: NightshiftError[] = [];

  /** @param owner what the options belong to, as the reader of the message knows it */
  constructor(private readonly owner: string) {}

  /** Notes every key of `options` that is not among `known`, with the known name nearest to it. */
  knownKeys(options: object, known: readonly string[]): void {
    for (const key of Object.keys(options)) {
      if (!known.includes(key)) this.problems.push(new UnknownOptionError(key, known, nearest(key, known)));
    }
  }

  /** Notes that `argument` must be `expected`, unless `holds`. */
  expect(holds: boolean, argument: string, got: unknown, expected: string): void {
    if (!holds) this.problems.push(new ArgumentOutOfRangeError(argument, got, expected));
  }

  /** Runs `read`, noting the {@link ArgumentOutOfRangeError} that it throws; `fallback` stands in for its value then. */
  attempt<T>(read: () => T, fallback: T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ArgumentOutOfRangeError)) throw error;
      this.problems.push(error);
      return fallback;
    }
  }

  /** @throws the one problem as it is, or an {@link InvalidOptionsError} that lists them all */
  throwIfAny(): void {
    const [first, ...others] = this.problems;
    if (first === undefined) return;
    throw others.length === 0 ? first : new InvalidOptionsError(this.owner, this.problems);
  }
}

/** Whether a value can be looked at as an options object; an array or a function is a mistake. */
export function isOptionsObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The name closest to `written`, or `undefined` when none is close enough to be what was meant. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  // More than a third of the letters wrong is another word, not a slip.
  let bestDistance = Math.max(1, Math.floor(written.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(written.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** Levenshtein's distance, kept to one row of its table. */
function editDistance(from: string, to: string): number {
  const row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    let diagonal = row[0]!;
    row[0] = i;
    for (let j = 1; j <= to.length; j++) {
      const above = row[j]!;
      row[j] = Math.min(above + 1, row[j - 1]! + 1, diagonal + (from[i - 1] === to[j - 1] ? 0 : 1));
      diagonal = above;
    }
  }
  return row[to.length]!;
}
