import * as errors from './errors.js';

/** An error on its way from another thread, which keeps no classes. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Everything else that it has, as far as it can go to another thread. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: PlainError | undefined;
}

export function toPlainError(error: unknown): PlainError {
  const { name, message, stack, cause, ...fields } =
    error instanceof Error ? { ...error, ...named(error) } : named(new Error(String(error)));
  return {
    name,
    message,
    stack,
    fields: Object.fromEntries(Object.entries(fields).filter(([, value]) => Object(value) !== value)),
    cause: cause === undefined ? undefined : toPlainError(cause),
  };
}

/** The same error again: of its class, if that is one of this library. */
export function fromPlainError({ name, message, stack, fields, cause }: PlainError): Error {
  const error = Object.create(prototypeOf(name)) as Error;
  const own = {
    name,
    message,
    stack,
    ...fields,
    ...(cause !== undefined && { cause: fromPlainError(cause) }),
  };
  for (const [key, value] of Object.entries(own))
    Object.defineProperty(error, key, {
      value,
      writable: true,
      configurable: true,
      enumerable: key in fields,
    });
  return error;
}

function named({ name, message, stack, cause }: Error): Pick<Error, 'name' | 'message' | 'stack' | 'cause'> {
  return { name, message, ...(stack !== undefined && { stack }), cause };
}

function prototypeOf(name: string): object {
  const known = (errors as Readonly<Record<string, unknown>>)[name];
  return typeof known === 'function' ? (known.prototype as object) : Error.prototype;
}
