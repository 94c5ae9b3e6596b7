import { inspect } from 'node:util';
import type { ErrorRecord } from './task-record.js';

/** How much of an error is kept. */
export const errorLimits = Object.freeze({ causes: 8, errors: 20, message: 4_000, stack: 8_000 });

/** An error as plain data, whatever was thrown. Never throws. */
export function toErrorRecord(error: unknown, depth = 0): ErrorRecord {
  try {
    return error instanceof Error
      ? ofError(error, depth)
      : { name: 'Error', message: cut(textOf(error), errorLimits.message) };
  } catch {
    return { name: 'Error', message: 'an error that cannot be read' };
  }
}

/** The error that {@link toErrorRecord} recorded, as far as that is possible: an `Error` with the same words. */
export function toError({ name, message, code, stack, cause, errors }: ErrorRecord): Error {
  const options = cause === undefined ? undefined : { cause: toError(cause) };
  const error =
    errors === undefined
      ? new Error(message, options)
      : new AggregateError(errors.map(toError), message, options);
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  if (code !== undefined) Object.assign(error, { code });
  if (stack !== undefined) error.stack = stack;
  return error;
}

function ofError(error: Error, depth: number): ErrorRecord {
  const { cause, stack } = error;
  const { code } = error as { code?: unknown };
  const parts: unknown = error instanceof AggregateError ? error.errors : undefined;
  const goesOn = depth < errorLimits.causes;
  return {
    name: cut(String(error.name), 200),
    message: cut(String(error.message), errorLimits.message),
    ...((typeof code === 'string' || typeof code === 'number') && { code: cut(String(code), 200) }),
    ...(typeof stack === 'string' && { stack: cut(stack, errorLimits.stack) }),
    ...(cause !== undefined && goesOn && { cause: toErrorRecord(cause, depth + 1) }),
    ...(Array.isArray(parts) &&
      goesOn && { errors: parts.slice(0, errorLimits.errors).map((part) => toErrorRecord(part, depth + 1)) }),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { depth: 2 });
}

function cut(text: string, length: number): string {
  const whole = (text as string & { toWellFormed(): string }).toWellFormed();
  return whole.length <= length ? whole : `${whole.slice(0, length - 1)}…`;
}
