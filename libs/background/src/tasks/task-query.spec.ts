import { InvalidOptionsError } from 'nestjs-nightshift/channels';
import { describe, expect, it } from 'vitest';
import { passes, resolveTaskFilter, resolveTaskQuery, toCursor, type FilteredTask } from './task-query.js';
import type { TaskFilter, TaskQuery } from './task-record.js';

const instant = new Date('2026-11-29T12:00:00Z');

const mail: FilteredTask = {
  id: '7',
  name: 'the evening mail',
  definition: 'send-mail',
  state: 'dead',
  tags: ['nightly', 'mail'],
  enqueuedAtMs: instant.getTime(),
  error: { name: 'SmtpError', message: 'No such Address' },
};

describe('resolveTaskQuery', () => {
  it('gives the first fifty of all, the newest first, when nothing is said', () => {
    const { limit, order, after, ...filter } = resolveTaskQuery({});
    expect({ limit, order, after }).toEqual({ limit: 50, order: 'newest', after: undefined });
    expect(Object.values(filter).every((value) => value === undefined)).toBe(true);
  });

  it('finds the place in a cursor that it gave', () => {
    for (const place of [0, 7, 123_456, Number.MAX_SAFE_INTEGER - 1])
      expect(resolveTaskQuery({ after: toCursor(place) }).after).toBe(place);
  });

  it.each(['7', 'order 17/3', 'Brötchen 🌙', '-'])('finds the id %s beside the place in a cursor', (id) => {
    const cursor = toCursor(7, id);
    expect(resolveTaskQuery({ after: cursor })).toMatchObject({ after: 7, afterId: id });
    expect(resolveTaskQuery({ after: toCursor(7) }).afterId).toBeUndefined();
  });

  it.each([
    ['limit', 0],
    ['limit', 1_001],
    ['limit', 1.5],
    ['limit', '50'],
    ['order', 'best'],
    ['after', ''],
    ['after', 'page 2'],
    ['after', 'p'],
    ['after', 'p7.'],
    ['after', 'p7.a.b'],
    ['after', `p${'z'.repeat(12)}`],
    ['after', 7],
    ['states', ['gone']],
    ['states', 'dead'],
    ['ids', ['']],
    ['ids', '7'],
    ['name', ''],
    ['tag', 5],
    ['error', /address/],
    ['enqueuedAfter', new Date(Number.NaN)],
    ['enqueuedBefore', 0],
    ['eroor', 'x'],
  ])('refuses %s when it is %j', (key, value) => {
    expect(() => resolveTaskQuery({ [key]: value } as TaskQuery)).toThrow(`query.${key}`);
  });

  it('reports everything that is wrong at once, and null in place of an object', () => {
    expect(() => resolveTaskQuery({ limit: 0, order: 'up' } as never)).toThrow(/limit[\s\S]*order/);
    expect(() => resolveTaskQuery(null as never)).toThrow(InvalidOptionsError);
  });
});

describe('resolveTaskFilter', () => {
  it('refuses what only a query has', () => {
    expect(() => resolveTaskFilter({ limit: 5 } as TaskFilter)).toThrow('filter.limit');
  });
});

describe('passes', () => {
  const later = new Date(instant.getTime() + 1);
  it.each<[filter: TaskFilter, expected: boolean]>([
    [{}, true],
    [{ ids: ['6', '7'] }, true],
    [{ ids: ['6'] }, false],
    [{ ids: [] }, false],
    [{ states: ['dead', 'expired'] }, true],
    [{ states: ['waiting'] }, false],
    [{ states: [] }, false],
    [{ name: 'the evening mail' }, true],
    [{ name: 'send-mail' }, true],
    [{ name: 'mail' }, false],
    [{ tag: 'mail' }, true],
    [{ tag: 'mai' }, false],
    [{ error: 'smtp' }, true],
    [{ error: 'SUCH ADDRESS' }, true],
    [{ error: 'timeout' }, false],
    [{ enqueuedAfter: instant }, true],
    [{ enqueuedAfter: later }, false],
    [{ enqueuedBefore: instant }, false],
    [{ enqueuedBefore: later }, true],
    [{ name: 'send-mail', tag: 'daily' }, false],
  ])('of %j it is %s that the mail fits', (filter, expected) => {
    expect(passes(resolveTaskFilter(filter), mail)).toBe(expected);
  });

  it('lets nobody pass by an id that has never been asked for, or by an error that is not there', () => {
    const unnamed = { ...mail, id: undefined, error: undefined };
    expect(passes(resolveTaskFilter({ ids: ['undefined'] }), unnamed)).toBe(false);
    expect(passes(resolveTaskFilter({ error: 'e' }), unnamed)).toBe(false);
  });
});
