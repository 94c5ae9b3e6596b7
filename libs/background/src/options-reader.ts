import {
  ArgumentOutOfRangeError,
  InvalidOptionsError,
  isOptionsObject,
  nearest,
  toMilliseconds,
  UnknownOptionError,
  type NightshiftError,
} from 'nestjs-nightshift/channels';
import { isStorable, storableText } from './storable-text.js';

const aText = 'a text of at least one character';

/**
 * Reads one options object that a user wrote: each read validates a key and yields its value or the default, and
 * collects what is wrong. Nested objects share the collection, so that {@link finish} reports everything at once.
 */
export class OptionsReader<T extends object> {
  private readonly values: Readonly<Record<string, unknown>>;

  /**
   * @param path what to call the object in messages
   * @param known every key that the object may have
   * @param problems where to collect; by default a list of its own
   */
  constructor(
    private readonly path: string,
    options: T,
    private readonly known: readonly (keyof T & string)[],
    private readonly problems: NightshiftError[] = [],
  ) {
    this.values = isOptionsObject(options) ? (options as Record<string, unknown>) : {};
    if (!isOptionsObject(options))
      this.problems.push(new ArgumentOutOfRangeError(path, options, 'an object'));
    for (const key of Object.keys(this.values)) this.checkKnown(key);
  }

  has(key: keyof T & string): boolean {
    return this.values[key] !== undefined;
  }

  wholeNumber(key: keyof T & string, otherwise: number, min: number): number {
    return this.read(
      key,
      otherwise,
      `a whole number of ${min} or more`,
      (value): value is number => Number.isSafeInteger(value) && (value as number) >= min,
    );
  }

  boolean(key: keyof T & string, otherwise: boolean): boolean {
    return this.read(
      key,
      otherwise,
      'true or false',
      (value): value is boolean => typeof value === 'boolean',
    );
  }

  name(key: keyof T & string, otherwise: string): string {
    const name = this.read(
      key,
      otherwise,
      'a name of at least one character',
      (value): value is string => typeof value === 'string' && value.trim() !== '',
    );
    return this.expectStorable(key, name);
  }

  oneOf<V extends string>(key: keyof T & string, otherwise: V, allowed: readonly V[]): V {
    const expected = allowed.map((value) => `'${value}'`).join(' or ');
    return this.read(key, otherwise, expected, (value): value is V => allowed.includes(value as V));
  }

  /** A function, typed as the caller says: what it takes and returns cannot be checked here. */
  function<F>(key: keyof T & string): F | undefined {
    return this.read(
      key,
      undefined,
      'a function',
      (value): value is F & undefined => typeof value === 'function',
    );
  }

  /** Any value that `accepts` accepts. */
  value<V>(key: keyof T & string, otherwise: V, expected: string, accepts: (value: unknown) => boolean): V {
    return this.read(key, otherwise, expected, (value): value is V => accepts(value));
  }

  /** A duration in milliseconds. `minMs` excludes shorter ones; `alsoExpected` ends the message. */
  durationMs<O extends number | undefined>(
    key: keyof T & string,
    otherwise: O,
    minMs = 0,
    alsoExpected = '',
  ): number | O {
    const value = this.values[key];
    if (value === undefined) return otherwise;
    try {
      const ms = toMilliseconds(value as string | number);
      if (ms >= minMs) return ms;
    } catch {
      // reported below, with the path of the option
    }
    const atLeast = minMs > 0 ? ` of at least ${minMs} ms` : '';
    this.problem(key, `a duration${atLeast}: milliseconds, or text such as '30s' or '1h 30m'${alsoExpected}`);
    return otherwise;
  }

  /** A duration in milliseconds, or `'infinite'`, which reads as `Infinity`. */
  timeoutMs<O extends number | undefined>(key: keyof T & string, otherwise: O, minMs = 0): number | O {
    if (this.values[key] === 'infinite') return Number.POSITIVE_INFINITY;
    return this.durationMs(key, otherwise, minMs, ", or 'infinite'");
  }

  /** An object nested under `key`, read by `read`; `undefined` when it is not there. */
  nested<N extends object, R>(
    key: keyof T & string,
    known: readonly (keyof N & string)[],
    read: (check: OptionsReader<N>) => R,
  ): R | undefined {
    const value = this.values[key];
    if (value === undefined) return undefined;
    return read(new OptionsReader<N>(`${this.path}.${key}`, value as N, known, this.problems));
  }

  /** A text of at least one character. It has to be there. */
  text(key: keyof T & string): string {
    const value = this.values[key];
    if (typeof value === 'string' && value !== '') return this.expectStorable(key, value);
    this.problem(key, aText);
    return '';
  }

  /** A text of at least one character, or an object that says more, read by `read`; `undefined` when it is not there. */
  textOr<N extends object, R>(
    key: keyof T & string,
    ofText: (text: string) => R,
    known: readonly (keyof N & string)[],
    read: (check: OptionsReader<N>) => R,
  ): R | undefined {
    const value = this.values[key];
    if (isOptionsObject(value)) return this.nested(key, known, read);
    if (value === undefined) return undefined;
    if (typeof value === 'string' && value !== '') return ofText(this.expectStorable(key, value));
    this.problem(key, `${aText}, or an object with a \`key\``);
    return undefined;
  }

  /** Records that the value under `key` is wrong. */
  problem(key: keyof T & string, expected: string, got = this.values[key]): void {
    this.problems.push(new ArgumentOutOfRangeError(`${this.path}.${key}`, got, expected));
  }

  /** @throws InvalidOptionsError when anything read so far was wrong */
  finish(): void {
    if (this.problems.length > 0) throw new InvalidOptionsError(this.path, this.problems);
  }

  private read<V>(key: string, otherwise: V, expected: string, accepts: (value: unknown) => value is V): V {
    const value = this.values[key];
    if (value === undefined) return otherwise;
    if (accepts(value)) return value;
    this.problem(key as keyof T & string, expected);
    return otherwise;
  }

  private expectStorable(key: keyof T & string, text: string): string {
    if (!isStorable(text)) this.problem(key, storableText);
    return text;
  }

  private checkKnown(key: string): void {
    if ((this.known as readonly string[]).includes(key)) return;
    this.problems.push(new UnknownOptionError(`${this.path}.${key}`, this.known, nearest(key, this.known)));
  }
}
