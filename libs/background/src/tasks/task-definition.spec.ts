import { type } from 'arktype';
import { ArgumentOutOfRangeError, constant, InvalidOptionsError } from 'nestjs-nightshift/channels';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { definedTask, defineTask, type TaskDefinitionOptions } from './task-definition.js';

/** What is wrong with a definition, one message for each option. */
function problemsOf(options: object): readonly string[] {
  try {
    defineTask('cook', options as TaskDefinitionOptions<void>);
  } catch (error) {
    return (error as InvalidOptionsError).problems.map(({ message }) => message);
  }
  return [];
}

describe('defineTask', () => {
  it('makes a definition that cannot be changed', () => {
    const cook = defineTask('cook', { queue: 'kitchen' });
    expect(cook).toMatchObject({ name: 'cook', queue: 'kitchen' });
    expect(Object.isFrozen(cook)).toBe(true);
    expect(defineTask('cook').queue).toBeUndefined();
    expect(cook.returns<number>()).toBe(cook);
  });

  it('holds what its tasks are enqueued with, and nothing that was not said', () => {
    const backoff = constant('1s');
    const options = { timeout: '5s', priority: -1, retry: { backoff }, deduplicationKey: 'one' };
    expect(definedTask(defineTask('cook', options))!.defaults).toMatchObject({
      name: 'cook',
      timeoutMs: 5_000,
      priority: -1,
      retry: { backoff },
      deduplication: { key: 'one', windowMs: undefined, onConflict: 'keep' },
    });
    expect(definedTask(defineTask('cook'))!.defaults).toMatchObject({
      timeoutMs: undefined,
      retry: undefined,
    });
  });

  it.each(['', '  ', undefined, 7])('refuses the name %j', (name) => {
    expect(() => defineTask(name as string)).toThrow(ArgumentOutOfRangeError);
  });

  it('reports everything that is wrong with its options at once', () => {
    const wrong = {
      payload: { id: 'string' },
      queue: '',
      timeout: 'soon',
      priority: 1.5,
      retry: { maxAttempts: 0 },
      deduplicationKey: '',
      delay: '1s',
      name: 'bake',
    };
    const problems = problemsOf(wrong);
    expect(problems).toHaveLength(Object.keys(wrong).length);
    expect(problems).toContainEqual(expect.stringContaining("defineTask('cook').payload must be a schema"));
    expect(problems).toContainEqual(expect.stringContaining("defineTask('cook').retry.maxAttempts"));
  });

  it.each([
    ['Zod', z.string()],
    ['Valibot', v.string()],
    ['ArkType, a function', type('string')],
  ])('takes a schema of %s', (_, payload) => {
    expect(definedTask(defineTask('cook', { payload }))!.schema).toBe(payload);
  });
});

describe('definedTask', () => {
  it.each([undefined, null, 'cook', {}, { name: 'cook' }, () => {}])('is nothing for %s', (value) => {
    expect(definedTask(value)).toBeUndefined();
  });

  it('knows a definition that another copy of this package made', () => {
    const foreign = { name: 'cook', [Symbol.for('nestjs-nightshift:task-definition')]: true };
    expect(definedTask(foreign)).toBe(foreign);
  });
});
