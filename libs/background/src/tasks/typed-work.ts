import { ArgumentOutOfRangeError } from 'nestjs-nightshift/channels';
import { InvalidPayloadError, WrongQueueError } from '../errors.js';
import { packPayload } from './payload.js';
import { validatePayload } from './payload-schema.js';
import type { DefinedTask } from './task-definition.js';
import type { TaskHandlers } from './task-handlers.js';
import type { TaskWork } from './task.js';
import { resolveEnqueueOptions, type EnqueueOptions, type ResolvedEnqueueOptions } from './tasks.options.js';

/** A typed task as an engine takes it: work like any other. */
export interface TypedWork {
  readonly work: TaskWork;
  readonly options: ResolvedEnqueueOptions;
}

/** Where typed tasks are enqueued. */
export interface TypedTarget {
  readonly queue: string;
  readonly handlers: TaskHandlers;
}

/**
 * Checks everything there is to check about one typed task, and makes work of it: at once, or as a promise when its
 * schema is asynchronous.
 *
 * @throws WrongQueueError, NoTaskHandlerError, InvalidOptionsError, InvalidPayloadError, or rejects with the last
 */
export function prepareTypedWork(
  { queue, handlers }: TypedTarget,
  task: DefinedTask,
  payload: unknown,
  options: EnqueueOptions | undefined,
): TypedWork | Promise<TypedWork> {
  const { name } = task;
  if (task.queue !== undefined && task.queue !== queue) throw new WrongQueueError(name, queue, task.queue);
  handlers.expect(name);
  const resolved = resolveEnqueueOptions(options, task.defaults);
  const { copy, text } = packPayload(name, payload);
  const finish = (validated: unknown): TypedWork => ({
    work: (context) => handlers.run(name, text, context),
    options: withKey(task, resolved, validated),
  });
  const validated = validatePayload(task, copy);
  return validated instanceof Promise ? validated.then(finish) : finish(validated);
}

/**
 * The same for several payloads, before any of them is accepted.
 *
 * @throws what {@link prepareTypedWork} does; an InvalidPayloadError tells which payload it was
 */
export async function prepareManyTyped(
  target: TypedTarget,
  task: DefinedTask,
  payloads: readonly unknown[],
  options: EnqueueOptions | undefined,
): Promise<readonly TypedWork[]> {
  if (!Array.isArray(payloads)) throw new ArgumentOutOfRangeError('payloads', payloads, 'an array');
  // All are copied before the first is waited for: whoever handed them over may change them meanwhile.
  const begun = payloads.map((payload, index) => {
    try {
      const work = prepareTypedWork(target, task, payload, options);
      if (!(work instanceof Promise)) return work;
      const placed = work.catch((error: unknown): never => throwAt(index, error));
      placed.catch(() => {}); // one that is wrong is told, and the first is enough
      return placed;
    } catch (error) {
      return throwAt(index, error);
    }
  });
  const prepared: TypedWork[] = [];
  for (const each of begun) prepared.push(each instanceof Promise ? await each : each);
  return prepared;
}

/** Throws the error, telling which of several payloads it is about. */
function throwAt(index: number, error: unknown): never {
  if (!(error instanceof InvalidPayloadError)) throw error;
  const { task, issues, cause } = error;
  throw new InvalidPayloadError(task, issues, index, cause === undefined ? undefined : { cause });
}

function withKey(
  { name, keyOf }: DefinedTask,
  options: ResolvedEnqueueOptions,
  payload: unknown,
): ResolvedEnqueueOptions {
  if (keyOf === undefined || options.deduplicationKey !== undefined) return options;
  const deduplicationKey: unknown = keyOf(payload);
  if (typeof deduplicationKey !== 'string' || deduplicationKey === '')
    throw new ArgumentOutOfRangeError(
      `deduplicationKey() of task '${name}'`,
      deduplicationKey,
      'a text of at least one character',
    );
  return { ...options, deduplicationKey };
}
