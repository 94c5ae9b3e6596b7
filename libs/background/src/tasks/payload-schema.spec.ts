import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { errorOf } from '../error-of.fixture.js';
import { InvalidPayloadError } from '../errors.js';
import { validatePayload } from './payload-schema.js';
import { definedTask, defineTask } from './task-definition.js';

/** A definition with a schema that does `validate`. */
function withSchema(validate: StandardSchemaV1.Props['validate']) {
  const payload: StandardSchemaV1 = { '~standard': { version: 1, vendor: 'test', validate } };
  return definedTask(defineTask('cook', { payload }))!;
}

function withPayload(payload: StandardSchemaV1) {
  return definedTask(defineTask('cook', { payload }))!;
}

/** What comes of a payload in the end, whether the schema is asynchronous or not. */
async function outcomeOf(task: ReturnType<typeof withSchema>, payload: unknown): Promise<unknown> {
  return validatePayload(task, payload);
}

describe('validatePayload', () => {
  it('gives the payload as it is when there is no schema', () => {
    const payload = { sweet: 'fudge' };
    expect(validatePayload(definedTask(defineTask('cook'))!, payload)).toBe(payload);
  });

  it('answers at once when the schema does, and with a promise when that gives one of whatever make', async () => {
    expect(
      validatePayload(
        withSchema((value) => ({ value: [value] })),
        1,
      ),
    ).toEqual([1]);
    const later = withSchema((value) => Promise.resolve({ value: [value] }));
    expect(validatePayload(later, 1)).toBeInstanceOf(Promise);
    expect(await validatePayload(later, 1)).toEqual([1]);
    const foreign = withSchema((value) => {
      const promise = Promise.resolve({ value: [value] });
      // oxlint-disable-next-line unicorn/no-thenable -- a promise of another make is what is tested
      return { then: promise.then.bind(promise) } as typeof promise;
    });
    expect(await validatePayload(foreign, 1)).toEqual([1]);
  });

  it.each([
    ['Zod', z.object({ list: z.array(z.object({ sweet: z.string() })) })],
    ['Valibot', v.object({ list: v.array(v.object({ sweet: v.string() })) })],
    ['ArkType', type({ list: type({ sweet: 'string' }).array() })],
  ])('tells the place and the words of an issue of %s', async (_, schema) => {
    const error = await errorOf(outcomeOf(withPayload(schema), { list: [{ sweet: 'fudge' }, { sweet: 1 }] }));
    expect(error).toBeInstanceOf(InvalidPayloadError);
    expect(error).toMatchObject({
      task: 'cook',
      issues: [{ path: 'payload.list[1].sweet', message: expect.stringContaining('string') as string }],
    });
  });

  it('reports a schema that throws or rejects as a payload that could not be validated', async () => {
    const cause = new Error('no sugar');
    const throwing = withSchema(() => {
      throw cause;
    });
    const rejecting = withSchema(() => Promise.reject(cause));
    const issues = [{ path: 'payload', message: 'could not be validated: Error: no sugar' }];
    expect(() => validatePayload(throwing, 1)).toThrow(InvalidPayloadError);
    expect(await errorOf(outcomeOf(throwing, 1))).toMatchObject({ cause, issues });
    expect(await errorOf(outcomeOf(rejecting, 1))).toMatchObject({ cause, issues });
  });
});
