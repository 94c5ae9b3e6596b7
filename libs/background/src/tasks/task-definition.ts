import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ArgumentOutOfRangeError } from 'nestjs-nightshift/channels';
import { OptionsReader } from '../options-reader.js';
import { isStorable, storableText } from '../storable-text.js';
import type { TaskContext } from '../scopes/context.js';
import type { TaskOutcome } from '../scopes/task-outcome.js';
import {
  readConcurrency,
  readDeduplication,
  readTaskDefaults,
  taskDefaultsKeys,
  type EnqueueOptions,
  type ResolvedEnqueueOptions,
} from './enqueue.options.js';

/** A registered symbol: two copies of this package in one application agree on it. */
const brand = Symbol.for('nestjs-nightshift:task-definition');

/** A key, or what gives one for each payload; `undefined` from that is no key. */
type KeyOption<P, K> = K | ((payload: P) => K) | undefined;

/** The keys of one task, not yet checked. */
type Keys = Pick<EnqueueOptions, 'deduplicationKey' | 'concurrencyKey'>;

/** What all tasks of one kind have in common. What is said at `enqueue()` wins over it, and it wins over the queue's. */
export interface TaskDefinitionOptions<P, I = P> extends Pick<
  EnqueueOptions,
  'retry' | 'timeout' | 'priority'
> {
  /**
   * What a payload must be: a schema of any library that follows Standard Schema, such as Zod, Valibot or ArkType. It is
   * asked before a task is accepted, and again before it runs: the handler gets what it then puts out. By default there
   * is no check but that of the compiler.
   *
   * @see https://standardschema.dev
   */
  payload?: StandardSchemaV1<I, P> | undefined;
  /** The name of the queue in which these tasks belong. Enqueueing one elsewhere is an error. By default any will do. */
  queue?: string | undefined;
  /** See the option of the same name of `enqueue()`; a function is given the payload as the schema puts it out. */
  deduplicationKey?: KeyOption<P, EnqueueOptions['deduplicationKey']>;
  /** See the option of the same name of `enqueue()`; a function is given the payload as the schema puts it out. */
  concurrencyKey?: KeyOption<P, EnqueueOptions['concurrencyKey']>;
}

/**
 * A kind of task, known by its name: what its handler is given, what that gives back, and what whoever enqueues it has to
 * hand over. Definitions are compared by name.
 *
 * @typeParam P the payload that the handler gets
 * @typeParam R the result
 * @typeParam I the payload that is enqueued: another type than `P` only where a schema changes it
 */
export interface TaskDefinition<P, R = void, I = P> {
  readonly name: string;
  /** The name of the queue in which these tasks belong; `undefined` when any will do. */
  readonly queue: string | undefined;
  /**
   * The same definition, with a result of type `R`: for definitions whose payload type comes from a schema.
   *
   * @example const countWords = defineTask('count-words', { payload: z.string() }).returns<number>();
   */
  returns<Result>(): TaskDefinition<P, Result, I>;
  /** Never there: it tells the compiler how the three types may vary. */
  readonly '~types'?: { readonly payload: P; readonly result: R; readonly input: (payload: I) => void };
}

/** A definition of any types. */
export type AnyTaskDefinition = TaskDefinition<unknown, unknown, never>;

/** The payload that the handler of a definition gets: `PayloadOf<typeof resizePhoto>`. */
export type PayloadOf<D extends AnyTaskDefinition> = NonNullable<D['~types']>['payload'];

/** The result of a definition: `ResultOf<typeof resizePhoto>`. */
export type ResultOf<D extends AnyTaskDefinition> = NonNullable<D['~types']>['result'];

/**
 * Handles the tasks of one definition. `handle()` is called once for each attempt, on an instance of the attempt's own
 * scope if the class or what it depends on is scoped, otherwise on the one that there is. What it returns is the result;
 * what it throws fails the attempt, which is tried again as `retry` says; `context.retryAfter()` and `context.discard()`
 * make other outcomes to return. `context.signal` asks it to stop.
 *
 * @example class PhotoResizer implements TaskHandler<typeof resizePhoto> { ... }
 */
export interface TaskHandler<D extends AnyTaskDefinition> {
  handle(
    payload: PayloadOf<D>,
    context: TaskContext,
  ): ResultOf<D> | TaskOutcome | Promise<ResultOf<D> | TaskOutcome>;
}

/** A definition as this library sees it from inside. */
export class DefinedTask implements TaskDefinition<unknown, unknown, never> {
  readonly [brand] = true;
  declare readonly '~types'?: NonNullable<AnyTaskDefinition['~types']>;

  /** @param defaults what its tasks are enqueued with where nothing else is said */
  constructor(
    readonly name: string,
    readonly queue: string | undefined,
    readonly schema: StandardSchemaV1 | undefined,
    /** Gives the keys that depend on the payload; `undefined` when none does. */
    readonly keysOf: ((payload: unknown) => Keys) | undefined,
    readonly defaults: ResolvedEnqueueOptions,
  ) {
    Object.freeze(this);
  }

  returns<Result>(): TaskDefinition<unknown, Result, never> {
    return this as TaskDefinition<unknown, Result, never>;
  }
}

/**
 * Defines a kind of task. Put it where both sides can import it: those who enqueue, and the class that handles it.
 *
 * @example const resizePhoto = defineTask<{ id: string }>('resize-photo', { retry: { maxAttempts: 3 } });
 * @example const sendWelcome = defineTask('send-welcome', { payload: z.object({ email: z.email() }) });
 * @param name what the task is called in logs, events and wherever it is kept: of your choice, and not to be changed lightly
 * @throws InvalidOptionsError listing everything that is wrong, ArgumentOutOfRangeError when the name is empty
 */
export function defineTask<P = void, R = void, I = P>(
  name: string,
  options: TaskDefinitionOptions<P, I> = {},
): TaskDefinition<P, R, I> {
  if (typeof name !== 'string' || name.trim() === '')
    throw new ArgumentOutOfRangeError('defineTask(name)', name, 'a name of at least one character');
  if (!isStorable(name)) throw new ArgumentOutOfRangeError('defineTask(name)', name, storableText);
  const check = new OptionsReader(`defineTask('${name}')`, options, definitionKeys);
  const queue = check.has('queue') ? check.name('queue', '') : undefined;
  const schema = check.value<StandardSchemaV1 | undefined>('payload', undefined, aSchema, isSchema);
  const deduplication = isKeyFunction(options.deduplicationKey) ? undefined : readDeduplication(check);
  const concurrency = isKeyFunction(options.concurrencyKey) ? undefined : readConcurrency(check);
  const defaults = readTaskDefaults(check);
  check.finish();
  const task = new DefinedTask(
    name,
    queue,
    schema,
    keysOf(options),
    Object.freeze({ ...defaults, name, deduplication, concurrency }),
  );
  return task as unknown as TaskDefinition<P, R, I>; // P, R and I are the compiler's alone
}

/** @returns `undefined` when `value` was not made by {@link defineTask} */
export function definedTask(value: unknown): DefinedTask | undefined {
  const isDefined = typeof value === 'object' && value !== null && brand in value;
  return isDefined ? (value as DefinedTask) : undefined;
}

function keysOf<P, I>({
  deduplicationKey,
  concurrencyKey,
}: TaskDefinitionOptions<P, I>): DefinedTask['keysOf'] {
  if (!isKeyFunction(deduplicationKey) && !isKeyFunction(concurrencyKey)) return undefined;
  return (payload) => ({
    ...(isKeyFunction(deduplicationKey) && { deduplicationKey: deduplicationKey(payload as P) }),
    ...(isKeyFunction(concurrencyKey) && { concurrencyKey: concurrencyKey(payload as P) }),
  });
}

function isKeyFunction<P, K>(key: KeyOption<P, K>): key is (payload: P) => K {
  return typeof key === 'function';
}

const definitionKeys = [
  ...taskDefaultsKeys.filter((key) => key !== 'name'),
  'payload',
  'queue',
  'deduplicationKey',
  'concurrencyKey',
] as const satisfies readonly (keyof TaskDefinitionOptions<unknown>)[];

const aSchema = 'a schema that follows Standard Schema, such as one of Zod, Valibot or ArkType';

/** A schema may be a function too: those of ArkType are. */
function isSchema(value: unknown): boolean {
  const standard = (value as Partial<StandardSchemaV1> | null | undefined)?.['~standard'];
  return typeof standard?.validate === 'function';
}
