import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describeValue } from 'nestjs-nightshift/channels';
import { InvalidPayloadError, type PayloadIssue } from '../errors.js';
import { payloadPath } from './payload.js';
import type { DefinedTask } from './task-definition.js';

/**
 * What the schema of a definition makes of a payload: at once, or as a promise when the schema is asynchronous. Without a
 * schema the payload itself.
 *
 * @throws InvalidPayloadError, or rejects with it
 */
export function validatePayload({ name, schema }: DefinedTask, payload: unknown): unknown {
  if (schema === undefined) return payload;
  const settle = (result: StandardSchemaV1.Result<unknown>): unknown => {
    if (result.issues === undefined) return result.value;
    throw new InvalidPayloadError(name, result.issues.map(describeIssue));
  };
  const failed = (error: unknown): never => {
    throw new InvalidPayloadError(
      name,
      [{ path: payloadPath([]), message: `could not be validated: ${describeValue(error)}` }],
      undefined,
      { cause: error },
    );
  };
  let result: StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>>;
  try {
    result = schema['~standard'].validate(payload);
  } catch (error) {
    return failed(error);
  }
  if (typeof result !== 'object' || result === null)
    return failed(new TypeError(`the schema gave ${describeValue(result)}`));
  // A promise of whatever make.
  return 'then' in result ? Promise.resolve(result).then(settle, failed) : settle(result);
}

function describeIssue({ path = [], message }: StandardSchemaV1.Issue): PayloadIssue {
  const keys = path.map((segment) => (typeof segment === 'object' ? segment.key : segment));
  return { path: payloadPath(keys), message };
}
