import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { families, idsOf } from './families.js';
import { renderPage } from './page.js';
import { root, titledTests } from './titles.js';

const tests = titledTests();
const all = families.flatMap(({ behaviours }) => behaviours);
const known = new Set(families.flatMap(idsOf));
const page = join(root, 'docs/conformance.md');
/** Before any test may have written it. */
const pageExisted = existsSync(page);

const placesOf = (wrong: typeof tests): string[] =>
  wrong.map(({ ids, title, file }) => `${ids.join(' ')} ${title} (${file})`);

describe('conformance with .NET', () => {
  it.each(families)('lists the $size behaviours of $letter, each once', (family) => {
    const ids = family.behaviours.map(({ id }) => id);
    expect(ids.toSorted()).toEqual(idsOf(family).toSorted());
  });

  it('has a test for every behaviour that JavaScript and Nest can express', () => {
    const proven = new Set(tests.flatMap(({ ids }) => ids));
    const unproven = all.filter(
      ({ id, difference }) => difference?.kind !== 'notApplicable' && !proven.has(id),
    );
    expect(unproven.map(({ id }) => id)).toEqual([]);
  });

  it('has no test of what is said not to apply', () => {
    const absent = new Set(
      all.filter(({ difference }) => difference?.kind === 'notApplicable').map(({ id }) => id),
    );
    expect(placesOf(tests.filter(({ ids }) => ids.some((id) => absent.has(id))))).toEqual([]);
  });

  it('knows every ID that a title begins with', () => {
    expect(placesOf(tests.filter(({ ids }) => ids.some((id) => !known.has(id))))).toEqual([]);
  });

  it('skips no test that has an ID', () => {
    expect(placesOf(tests.filter(({ isIdle }) => isIdle))).toEqual([]);
  });

  it('has IDs at tests and not at groups, which prove nothing by themselves', () => {
    expect(placesOf(tests.filter(({ isGroup }) => isGroup))).toEqual([]);
  });

  it('refers to decision records that exist', () => {
    const records = all.flatMap(({ difference }) => difference?.decision ?? []);
    const missing = records.filter((name) => !existsSync(join(root, 'docs/decisions', `${name}.md`)));
    expect(records).not.toEqual([]);
    expect(missing).toEqual([]);
  });

  it('says every behaviour and every reason in whole sentences', () => {
    const sentences = all.flatMap(({ behaviour, difference }) =>
      difference === undefined ? [behaviour] : [behaviour, difference.reason],
    );
    expect(sentences.filter((text) => !/^[^a-z\s].*\.$/.test(text) || text.includes('\n'))).toEqual([]);
  });

  it('is what docs/conformance.md says (npm run docs:conformance writes it)', async () => {
    await expect(renderPage(families, tests)).toMatchFileSnapshot(page);
    expect(pageExisted, 'The page was missing. It has been written: look at it, and run this again.').toBe(
      true,
    );
  });
});
