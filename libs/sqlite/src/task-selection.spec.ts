import type { ResolvedTaskFilter } from 'nestjs-nightshift';
import { expect, it } from 'vitest';
import { conditionOf } from './task-selection.js';

it('asks for the queue alone when the filter is empty', () => {
  expect(conditionOf('q', {})).toEqual({ text: 'queue = ?', values: ['q'] });
});

it('lets nothing pass where a list is empty', () => {
  expect(conditionOf('q', { states: [] }).text).toContain('state IN ()');
  expect(conditionOf('q', { ids: ['nonsense', ''] }).values).toEqual(['q', '[]']);
});

it('puts no text of the filter into the statement', () => {
  const hostile = "x' OR 1=1 --";
  const filter: Partial<ResolvedTaskFilter> = {
    ids: [hostile],
    states: [hostile as never],
    name: hostile,
    tag: hostile,
    error: hostile,
    enqueuedAfterMs: 1,
    enqueuedBeforeMs: 2,
  };
  const { text, values } = conditionOf(hostile, filter);
  expect(text).not.toContain('1=1');
  expect(text.match(/\?/g)).toHaveLength(values.length);
});
