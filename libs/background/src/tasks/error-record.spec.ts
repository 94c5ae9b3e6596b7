import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorLimits, toError, toErrorRecord } from './error-record.js';

class OrderError extends Error {
  override readonly name = 'OrderError';
  readonly code = 'ORDER_LOST';
}

describe('toErrorRecord', () => {
  it('keeps name, message, code, stack, causes and parts', () => {
    const error = new OrderError('lost', { cause: new AggregateError([new Error('a'), 'b'], 'both') });
    expect(toErrorRecord(error)).toEqual({
      name: 'OrderError',
      message: 'lost',
      code: 'ORDER_LOST',
      stack: error.stack,
      cause: {
        name: 'AggregateError',
        message: 'both',
        stack: expect.any(String) as string,
        errors: [
          { name: 'Error', message: 'a', stack: expect.any(String) as string },
          { name: 'Error', message: 'b' },
        ],
      },
    });
  });

  it('cuts what is too long, and chains and lists without end', () => {
    const endless = new Error('x'.repeat(1e6));
    endless.cause = endless;
    const wide = new AggregateError(Array.from({ length: 1e4 }, () => endless));
    const record = toErrorRecord(endless);
    expect(record.message).toHaveLength(errorLimits.message);
    let depth = 0;
    for (let each = record; each.cause !== undefined; each = each.cause) depth += 1;
    expect(depth).toBe(errorLimits.causes);
    expect(toErrorRecord(wide).errors).toHaveLength(errorLimits.errors);
  });

  it('replaces half of a surrogate pair, which UTF-8 cannot carry', () => {
    expect(toErrorRecord(new Error('\ud800')).message).toBe('\ufffd');
  });

  it('is plain data, whatever was thrown', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true }), (thrown) => {
        const record = toErrorRecord(thrown);
        expect(JSON.parse(JSON.stringify(record))).toEqual(record);
      }),
    );
  });

  it.each([
    ['a proxy that throws', new Proxy(new Error('x'), { get: () => fail() })],
    ['a message that throws', Object.defineProperty(new Error('x'), 'message', { get: fail })],
    ['a cause that throws', Object.defineProperty(new Error('x'), 'cause', { get: fail })],
  ])('says so of %s', (_, thrown) => {
    expect(toErrorRecord(thrown).message).toBe('an error that cannot be read');
  });
});

describe('toError', () => {
  it('makes an error with the same words of what was recorded', () => {
    const record = toErrorRecord(
      new OrderError('lost', { cause: new AggregateError([new TypeError('a')], 'both') }),
    );
    const error = toError(record);
    expect(error).toBeInstanceOf(Error);
    expect(error.cause).toBeInstanceOf(AggregateError);
    expect(toErrorRecord(error)).toEqual(record);
  });
});

function fail(): never {
  throw new Error('hostile');
}
