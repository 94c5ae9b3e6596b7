import { describe, expect, it } from 'vitest';
import { titledTestsIn } from './titles.js';

const read = (source: string) =>
  titledTestsIn(source, 'some.spec.ts').map(({ ids, group, title, isGroup, isIdle }) => [
    ids.join(' '),
    [group, title].filter(Boolean).join(': '),
    isGroup,
    isIdle,
  ]);

describe('the titles of conformance tests', () => {
  it.each([
    ['a plain test', `it('C1 reads', () => {})`, ['C1', 'reads']],
    ['test() for it()', `test('C1 reads', () => {})`, ['C1', 'reads']],
    ['several IDs', `it('C1 C2 reads', () => {})`, ['C1 C2', 'reads']],
    ['several IDs with commas', `it('C1, C2 reads', () => {})`, ['C1 C2', 'reads']],
    ['a table', `it.each([['C9 row', 1]])('C1 reads %s', () => {})`, ['C1', 'reads %s']],
    ['a table in a template', 'it.each`a\\n${1}`("C1 reads $a", () => {})', ['C1', 'reads $a']],
    ['modifiers', `it.concurrent.each([1])('C1 reads', () => {})`, ['C1', 'reads']],
    ['a template', 'it(`C1 reads ${name} twice`, () => {})', ['C1', 'reads … twice']],
    ['options', `it('C1 reads', { timeout: 5 }, () => {})`, ['C1', 'reads']],
    [
      'groups around it',
      `describe('a', () => describe.each([1])('b', () => { it('C1 c', () => {}); }))`,
      ['C1', 'a, b: c'],
    ],
  ])('are found when they are written as %s', (_, source, [ids, title]) => {
    expect(read(source)).toEqual([[ids, title, false, false]]);
  });

  it.each([
    ['the ID does not come first', `it('reads as C1 says', () => {})`],
    ['the ID only looks like one', `it('C1-like reads', () => {})`],
    ['the ID is in a row of a table', `it.each([['C1 reads']])('%s', () => {})`],
    ['it is a comment', `// it('C1 reads', () => {})`],
    ['it is a string', `const text = "it('C1 reads')"`],
    ['it is the call of something else', `log('C1 reads')`],
  ])('are not found when %s', (_, source) => {
    expect(read(source)).toEqual([]);
  });

  it.each([
    `it.skip('C1 reads', () => {})`,
    `it.todo('C1 reads')`,
    `it.fails('C1 reads', () => {})`,
    `it.skipIf(old)('C1 reads', () => {})`,
    `it.skip.each([1])('C1 reads', () => {})`,
    `it('C1 reads', { skip: true }, () => {})`,
  ])('are idle when the test is: %s', (source) => {
    expect(read(source)).toEqual([['C1', 'reads', false, true]]);
  });

  it('are idle when a group around the test is', () => {
    expect(read(`describe.skip('a', () => { it('C1 b', () => {}); })`)).toEqual([
      ['C1', 'a: b', false, true],
    ]);
  });

  it('are told apart from those of groups', () => {
    expect(read(`describe('C1 a', () => { it('b', () => {}); })`)).toEqual([['C1', 'a', true, false]]);
  });
});
