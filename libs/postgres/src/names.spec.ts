import { assert, pre, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteName, quoteText, toChannel, toKey, toPlain, toPlainJson } from './names.js';

describe('quoting', () => {
  it('doubles the quotes inside', () => {
    expect(quoteName('a "b"')).toBe('"a ""b"""');
    expect(quoteText("it's")).toBe("'it''s'");
  });
});

describe('a plain text', () => {
  it('has neither U+0000 nor halves of characters', () => {
    expect(toPlain('a\0b\ud83c')).toBe('a␀b\ufffd');
  });

  it('is the same when there is nothing to take away', () => {
    assert(
      property(string({ unit: 'grapheme' }), (text) => {
        pre(!text.includes('\0'));
        expect(toPlain(text)).toBe(text);
      }),
    );
  });

  it('is made of every text in JSON, however deep', () => {
    expect(toPlainJson({ cause: { message: 'a\0' }, errors: ['\udc00'] })).toBe(
      '{"cause":{"message":"a␀"},"errors":["\ufffd"]}',
    );
  });
});

describe('a key', () => {
  it('is the text itself when an index takes it', () => {
    expect(toKey('customer-1')).toBe('customer-1');
  });

  it('fits into an index, and differs where the texts differ, also at their ends', () => {
    const long = 'x'.repeat(10_000);
    const keys = [long, `${long}y`, `${long}\0`].map(toKey);
    expect(new Set(keys).size).toBe(3);
    for (const key of keys) expect(Buffer.byteLength(key)).toBeLessThan(2_048);
  });
});

describe('a channel', () => {
  it('is named after the schema', () => {
    expect(toChannel('nightshift')).toBe('nightshift nightshift');
  });

  it('fits, and differs where the schemas differ, when their names are as long as names may be', () => {
    const channels = ['x'.repeat(63), `${'x'.repeat(62)}y`, 'é'.repeat(31)].map(toChannel);
    expect(new Set(channels).size).toBe(3);
    for (const channel of channels) expect(Buffer.byteLength(channel)).toBeLessThanOrEqual(63);
  });
});
