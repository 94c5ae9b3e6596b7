import { describeValue } from 'nestjs-nightshift/channels';
import { InvalidPayloadError, type PayloadIssue } from '../errors.js';

/** How large a payload may be. What is larger belongs where it can be fetched from, with the payload saying where. */
export const payloadLimits = Object.freeze({ bytes: 1_048_576, depth: 200, issues: 20 });

/** A payload as a queue keeps it. */
export interface PackedPayload {
  /** A copy of the payload: what reading {@link text} gives. */
  readonly copy: unknown;
  /** As JSON; `undefined` when the task has no payload. */
  readonly text: string | undefined;
}

/**
 * Copies a payload as JSON, so that producer and handler share nothing. What would not come back from JSON as it went in
 * is refused; properties that are `undefined` are left out, as an absent one reads the same.
 *
 * @throws InvalidPayloadError saying where and why
 */
export function packPayload(task: string, payload: unknown): PackedPayload {
  if (payload === undefined) return { copy: undefined, text: undefined };
  const copying = new PayloadCopy(task);
  const copy = copying.copy(payload);
  const text = JSON.stringify(copy);
  if (Buffer.byteLength(text) > payloadLimits.bytes) copying.refuseAsTooLarge();
  return { copy, text };
}

/** The payload that {@link packPayload} packed: a new copy at each call. */
export function unpackPayload(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}

/** A place inside a payload, the way code would reach it: `payload.photos[3].takenAt`. */
export function payloadPath(keys: readonly PropertyKey[]): string {
  const steps = keys.map((key) => {
    if (typeof key === 'number') return `[${key}]`;
    if (typeof key === 'symbol') return `[${String(key)}]`;
    return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) && key.length <= 60
      ? `.${key}`
      : `[${describeValue(key)}]`;
  });
  return `payload${steps.join('')}`;
}

/**
 * One walk over one payload. It reads every property once, as a getter may give something else the second time, and
 * counts what it has read, as a few objects that refer to each other many times make a text without end.
 */
class PayloadCopy {
  private readonly issues: PayloadIssue[] = [];
  private readonly keys: PropertyKey[] = [];
  private readonly ancestors = new Set<object>();
  /** A lower bound of the length of the text. */
  private length = 0;

  constructor(private readonly task: string) {}

  copy(payload: unknown): unknown {
    let copy: unknown;
    try {
      copy = this.value(payload);
    } catch (error) {
      if (error instanceof InvalidPayloadError) throw error;
      this.refuse(`cannot be read: ${describeValue(error)}`); // a getter or a proxy threw
      throw this.error({ cause: error });
    }
    if (this.issues.length > 0) throw this.error();
    return copy;
  }

  refuseAsTooLarge(): never {
    const message = `is larger than ${payloadLimits.bytes} bytes as JSON: put it where the handler can fetch it, and send where that is`;
    throw new InvalidPayloadError(this.task, [{ path: payloadPath([]), message }]);
  }

  private value(value: unknown): unknown {
    this.count(1);
    switch (typeof value) {
      case 'boolean':
        return value;
      case 'string':
        return this.text(value);
      case 'number':
        if (!Number.isFinite(value)) this.refuse(`is ${value}, which JSON has no word for`);
        return value + 0; // -0 would come back as 0
      case 'object':
        return value === null ? null : this.object(value);
      default:
        this.refuse(`is ${whatIs(value)}, which JSON cannot carry`);
        return undefined;
    }
  }

  private text(text: string): string {
    this.count(text.length + 1); // and a quote; the other one is counted as the value
    if (!isWellFormed(text)) this.refuse('is half of a surrogate pair somewhere, which UTF-8 cannot carry');
    return text;
  }

  private object(value: object): unknown {
    if (this.ancestors.has(value)) return this.refuse('contains itself');
    if (this.keys.length >= payloadLimits.depth)
      return this.refuse(`is nested deeper than ${payloadLimits.depth} levels`);
    const isList = Array.isArray(value);
    if (!(isList ? isPlainList(value) : isPlain(value)))
      return this.refuse(`is ${describeValue(value)}, ${adviceFor(value)}`);
    this.ancestors.add(value);
    const copy = isList ? this.list(value) : this.record(value as Record<string, unknown>);
    this.ancestors.delete(value);
    return copy;
  }

  private list(list: readonly unknown[]): unknown[] {
    const copy: unknown[] = [];
    for (let index = 0; index < list.length; index += 1) {
      this.keys.push(index);
      this.count(1); // the comma or bracket behind it
      copy.push(this.value(list[index]));
      this.keys.pop();
    }
    return copy;
  }

  private record(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    for (const key of Reflect.ownKeys(record)) {
      if (!Object.prototype.propertyIsEnumerable.call(record, key)) continue;
      this.keys.push(key);
      if (typeof key === 'symbol') this.refuse('is named by a symbol, which JSON cannot carry');
      else if (key === '__proto__') this.refuse('has a name that would replace the prototype of a copy');
      else this.property(record, key, copy);
      this.keys.pop();
    }
    return copy;
  }

  private property(
    record: Readonly<Record<string, unknown>>,
    key: string,
    copy: Record<string, unknown>,
  ): void {
    const value = record[key];
    if (value === undefined) return;
    this.text(key);
    this.count(2); // a quote, and the colon
    copy[key] = this.value(value);
  }

  private count(length: number): void {
    this.length += length;
    if (this.length > payloadLimits.bytes) this.refuseAsTooLarge();
  }

  private refuse(message: string): undefined {
    this.issues.push({ path: payloadPath(this.keys), message });
    if (this.issues.length >= payloadLimits.issues) throw this.error();
  }

  private error(options?: ErrorOptions): InvalidPayloadError {
    return new InvalidPayloadError(this.task, this.issues, undefined, options);
  }
}

/** Made by `{}`, by `Object.create(null)`, or by the same in another realm: a test runner's, for one. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null) return true;
  // The last of its chain, and the one that every realm has: not an object that somebody put data on.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

/** Made by `[]`, in whatever realm, with nothing on it but its items. */
function isPlainList(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object;
  const items = (value as readonly unknown[]).length;
  return isPlain(prototype) && Reflect.ownKeys(value).length <= items + 1; // `length` is one, a hole is none
}

/** Known to every Node that this library runs on, and not yet to the types it is compiled with. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

function whatIs(value: unknown): string {
  return typeof value === 'symbol' || typeof value === 'bigint' ? `a ${typeof value}` : describeValue(value);
}

function adviceFor(value: object): string {
  if (value instanceof Date)
    return 'and would arrive as text: send `date.toISOString()`, and let a schema turn it back';
  if (value instanceof Promise) return 'which JSON cannot carry: await it first';
  return 'which would arrive as a plain object at best: send its data';
}
