import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidPayloadError } from '../errors.js';
import { packPayload, payloadLimits, payloadPath, unpackPayload } from './payload.js';

function thrownBy(payload: unknown): unknown {
  try {
    return packPayload('cook', payload).text;
  } catch (error) {
    return error;
  }
}

/** What came of it, as `path: message` for each issue. */
function issuesOf(payload: unknown): readonly string[] {
  const error = thrownBy(payload);
  expect(error).toBeInstanceOf(InvalidPayloadError);
  return (error as InvalidPayloadError).issues.map(({ path, message }) => `${path}: ${message}`);
}

function copyOf(payload: unknown): unknown {
  const { copy, text } = packPayload('cook', payload);
  expect(unpackPayload(text)).toEqual(copy);
  return copy;
}

function nested(depth: number): unknown {
  return depth === 0 ? 'core' : [nested(depth - 1)];
}

class Sweet {
  readonly price = 10;
}

describe('packPayload', () => {
  it('gives back what it was given when that is JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (payload) => {
        fc.pre(!JSON.stringify(payload).includes('"__proto__"'));
        expect(copyOf(payload)).toEqual(JSON.parse(JSON.stringify(payload)));
      }),
    );
  });

  it('either refuses a value or gives back its equal, whatever it is', () => {
    const anything = fc.anything({
      withDate: true,
      withMap: true,
      withSet: true,
      withBigInt: true,
      withNullPrototype: true,
      withBoxedValues: true,
      withSparseArray: true,
      withTypedArray: true,
      withUnicodeString: false,
    });
    fc.assert(
      fc.property(anything, (payload) => {
        const packed = thrownBy(payload);
        if (packed instanceof InvalidPayloadError) return;
        // -0 is 0 in JSON, a null prototype is none, and what is undefined is left out.
        expect(packed).toBe(payload === undefined ? undefined : JSON.stringify(payload));
      }),
    );
  });

  it('shares nothing with what it was given, and a new copy each time', () => {
    const payload = { list: [{ sweet: 'fudge' }] };
    const { copy, text } = packPayload('cook', payload);
    payload.list[0]!.sweet = 'humbug';
    const one = unpackPayload(text) as typeof payload;
    one.list.push({ sweet: 'liquorice' });
    expect(copy).toEqual({ list: [{ sweet: 'fudge' }] });
    expect(unpackPayload(text)).toEqual({ list: [{ sweet: 'fudge' }] });
  });

  it('takes undefined for no payload, and leaves out properties that are undefined or hidden', () => {
    expect(packPayload('cook', undefined)).toEqual({ copy: undefined, text: undefined });
    expect(unpackPayload(undefined)).toBeUndefined();
    expect(packPayload('cook', { a: undefined, b: null }).text).toBe('{"b":null}');
    expect(copyOf(Object.defineProperty({ a: 1 }, 'hidden', { value: () => {} }))).toEqual({ a: 1 });
  });

  it('takes plain objects of another realm, and such without a prototype', () => {
    expect(copyOf(runInNewContext('({ list: [1, { a: 2 }] })'))).toEqual({ list: [1, { a: 2 }] });
    expect(copyOf(Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 });
  });

  it.each([
    ['a number that is none', Number.NaN, 'payload.x: is NaN, which JSON has no word for'],
    ['infinity', -Infinity, 'payload.x: is -Infinity, which JSON has no word for'],
    ['a bigint', 1n, 'payload.x: is a bigint, which JSON cannot carry'],
    ['a symbol', Symbol('s'), 'payload.x: is a symbol, which JSON cannot carry'],
    ['a function', Math.max, 'payload.x: is function max, which JSON cannot carry'],
    ['undefined in a list', [1, undefined], 'payload.x[1]: is undefined, which JSON cannot carry'],
    // oxlint-disable-next-line no-sparse-arrays -- the hole is what is tested
    ['a hole in a list', [1, , 2], 'payload.x[1]: is undefined, which JSON cannot carry'],
    ['a map', new Map(), 'payload.x: is an object (Map), which would arrive as a plain object at best'],
    ['a set', new Set(), 'payload.x: is an object (Set), which would arrive'],
    ['an instance', new Sweet(), 'payload.x: is an object (Sweet), which would arrive'],
    ['bytes', Buffer.from('a'), 'payload.x: is an object (Buffer), which would arrive'],
    ['an error', new Error('e'), 'payload.x: is Error: e, which would arrive'],
    ['a date', new Date(0), 'send `date.toISOString()`, and let a schema turn it back'],
    [
      'a promise',
      Promise.resolve(1),
      'payload.x: is an object (Promise), which JSON cannot carry: await it first',
    ],
    ['an object with toJSON', { toJSON: () => 1 }, 'payload.x.toJSON: is'],
    ['a lone surrogate', '\uD800', 'payload.x: is half of a surrogate pair somewhere'],
    ['a lone surrogate in a name', { '\uD800': 1 }, 'is half of a surrogate pair somewhere'],
    ['a name that is a symbol', { [Symbol('s')]: 1 }, 'payload.x[Symbol(s)]: is named by a symbol'],
    [
      '__proto__',
      JSON.parse('{"__proto__":{}}'),
      'payload.x.__proto__: has a name that would replace the prototype',
    ],
  ])('refuses %s, and says where and why', (_, x: unknown, expected) => {
    const [issue, ...others] = issuesOf({ x });
    expect(issue).toContain(expected);
    expect(others).toEqual([]);
  });

  it.each([
    ['a list of a class', new (class Sweets extends Array<number> {})(3)],
    ['a list with more than items', Object.assign([1], { sweet: 'humbug' })],
    ['an object that inherits data', Object.create(Object.assign(Object.create(null), { sweet: 'humbug' }))],
  ])('refuses %s, which would lose something', (_, payload) => {
    expect(thrownBy(payload)).toBeInstanceOf(InvalidPayloadError);
  });

  it('refuses what contains itself, and takes what is only mentioned twice', () => {
    const twice = { a: 1 };
    expect(copyOf({ one: twice, other: twice })).toEqual({ one: { a: 1 }, other: { a: 1 } });
    const circle: Record<string, unknown> = { a: 1 };
    circle['list'] = [circle];
    expect(issuesOf(circle)).toEqual(['payload.list[0]: contains itself']);
  });

  it('refuses what is nested too deeply', () => {
    expect(copyOf(nested(payloadLimits.depth))).toBeInstanceOf(Array);
    const [issue, ...others] = issuesOf(nested(payloadLimits.depth + 1));
    expect(issue).toContain(': is nested deeper than 200 levels');
    expect(others).toEqual([]);
    expect(issuesOf(nested(5_000))).toHaveLength(1);
  });

  it('refuses what is too large, to the byte', () => {
    const quotes = 2;
    expect(copyOf('x'.repeat(payloadLimits.bytes - quotes))).toHaveLength(payloadLimits.bytes - quotes);
    const tooLarge = [
      'payload: is larger than 1048576 bytes as JSON: put it where the handler can fetch it, and send where that is',
    ];
    expect(issuesOf('x'.repeat(payloadLimits.bytes - quotes + 1))).toEqual(tooLarge);
    expect(issuesOf('ü'.repeat(payloadLimits.bytes / 2))).toEqual(tooLarge);
  });

  it('gives up early on few objects that would make a text without end', () => {
    let doubled: unknown = 'x';
    for (let times = 0; times < 100; times += 1) doubled = [doubled, doubled];
    expect(issuesOf(doubled)).toEqual([expect.stringContaining('is larger than')]);
    expect(issuesOf(Array.from({ length: payloadLimits.bytes + 1 }, () => 0))).toEqual([
      expect.stringContaining('is larger than'),
    ]);
  });

  it('tells everything that is wrong at once, up to a limit', () => {
    expect(issuesOf({ a: 1n, b: [() => {}], c: 'fine' })).toHaveLength(2);
    // oxlint-disable-next-line unicorn/no-new-array -- as sparse as can be
    expect(issuesOf(new Array(1_000_000_000))).toHaveLength(payloadLimits.issues);
  });

  it('reads each property once, and reports one that throws when it is read', () => {
    const seen: string[] = [];
    const payload = {
      get a(): string {
        seen.push('a');
        return 'a';
      },
    };
    expect(copyOf(payload)).toEqual({ a: 'a' });
    expect(seen).toEqual(['a']);
    const cause = new Error('no sugar');
    const hostile = {
      list: [
        {
          get sweet(): string {
            throw cause;
          },
        },
      ],
    };
    expect(issuesOf(hostile)).toEqual(['payload.list[0].sweet: cannot be read: Error: no sugar']);
    expect(thrownBy(hostile)).toMatchObject({ cause });
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(issuesOf({ proxy })).toEqual([
      expect.stringContaining('payload.proxy: cannot be read: TypeError'),
    ]);
  });
});

describe('payloadPath', () => {
  it('is written as code would be', () => {
    expect(payloadPath([])).toBe('payload');
    expect(payloadPath(['list', 0, 'größe', 'two words', Symbol('s')])).toBe(
      "payload.list[0].größe['two words'][Symbol(s)]",
    );
    expect(payloadPath(['x'.repeat(100)])).toBe(`payload['${'x'.repeat(60)}...']`);
  });
});
