import { expect, it } from 'vitest';
import { createNonce, parseId, seqOf, toId } from './task-id.js';

it('is read as it was written', () => {
  for (const seq of [1, 42, 999_999_999_999_999]) {
    const key = { seq, nonce: createNonce() };
    expect(parseId(toId(key))).toEqual(key);
    expect(seqOf(toId(key))).toBe(seq);
  }
});

it('cannot be guessed: no two are alike', () => {
  const nonces = new Set(Array.from({ length: 5_000 }, createNonce));
  expect(nonces.size).toBe(5_000);
  for (const nonce of nonces) expect(nonce).toMatch(/^[\w-]{12}$/);
});

it.each([
  '',
  '1',
  '1-',
  '-abcdefghijkl',
  '1-abcdefghijk',
  '1-abcdefghijklm',
  '1-abcdefghijk!',
  'x-abcdefghijkl',
  '1-abcdefghijkl\n',
  `${'9'.repeat(16)}-abcdefghijkl`,
  "1-abcdefghij'--",
])('is not what %j is', (text) => {
  expect(parseId(text)).toBeUndefined();
});
