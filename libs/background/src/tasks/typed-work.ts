import { ArgumentOutOfRangeError } from 'nestjs-nightshift/channels';
import { InvalidPayloadError, WrongQueueError } from '../errors.js';
import { OptionsReader } from '../options-reader.js';
import { packPayload } from './payload.js';
import { validatePayload } from './payload-schema.js';
import type { DefinedTask } from './task-definition.js';
import type { TaskHandlers } from './task-handlers.js';
import type { EnqueueRequest } from './queue-engine.js';
import type { TaskWork } from './task.js';
import {
  readConcurrency,
  readDeduplication,
  resolveEnqueueOptions,
  type EnqueueOptions,
  type ResolvedEnqueueOptions,
} from './enqueue.options.js';

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
): EnqueueRequest | Promise<EnqueueRequest> {
  const { name } = task;
  if (task.queue !== undefined && task.queue !== queue) throw new WrongQueueError(name, queue, task.queue);
  handlers.expect(name);
  const resolved = resolveEnqueueOptions(options, task.defaults);
  const { copy, text } = packPayload(name, payload);
  const finish = (validated: unknown): EnqueueRequest => ({
    work: workOf(handlers, name, text),
    options: withKeys(task, resolved, validated),
    typed: { definition: name, payload: text, defaults: task.defaults },
  });
  const validated = validatePayload(task, copy);
  return validated instanceof Promise ? validated.then(finish) : finish(validated);
}

/** In a function of its own, so that it encloses nothing of what the task was enqueued with. */
function workOf(handlers: TaskHandlers, name: string, text: string | undefined): TaskWork {
  return (context) => handlers.run(name, text, context);
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
): Promise<readonly EnqueueRequest[]> {
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
  const prepared: EnqueueRequest[] = [];
  for (const each of begun) prepared.push(each instanceof Promise ? await each : each);
  return prepared;
}

/** Throws the error, telling which of several payloads it is about. */
function throwAt(index: number, error: unknown): never {
  if (!(error instanceof InvalidPayloadError)) throw error;
  const { task, issues, cause } = error;
  throw new InvalidPayloadError(task, issues, index, cause === undefined ? undefined : { cause });
}

/** Keys that depend on the payload. What is said at `enqueue()` wins. */
function withKeys(
  { name, keysOf }: DefinedTask,
  options: ResolvedEnqueueOptions,
  payload: unknown,
): ResolvedEnqueueOptions {
  if (keysOf === undefined) return options;
  const check = new OptionsReader(`defineTask('${name}')`, keysOf(payload), [
    'deduplicationKey',
    'concurrencyKey',
  ]);
  const deduplication = options.deduplication ?? readDeduplication(check);
  const concurrency = options.concurrency ?? readConcurrency(check);
  check.finish();
  return { ...options, deduplication, concurrency };
}
