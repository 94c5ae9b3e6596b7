import { describeValue } from 'nestjs-nightshift/channels';
import { InvalidWorkError } from '../errors.js';
import type { EnqueueOptions } from './enqueue.options.js';
import type { QueueEngine } from './queue-engine.js';
import {
  definedTask,
  type AnyTaskDefinition,
  type DefinedTask,
  type TaskDefinition,
} from './task-definition.js';
import type { TaskHandlers } from './task-handlers.js';
import type { DequeuedTask, TaskHandle, TaskWork } from './task.js';
import { prepareManyTyped, prepareTypedWork, type TypedTarget } from './typed-work.js';

/**
 * What every queue can do, wherever it keeps its tasks: the type to inject where a queue is durable, or may become so.
 * There is no `enqueue()` of a closure, which nobody can keep, so that code which hands one over does not compile.
 *
 * The one that is injected under this type is the default queue, as under `TaskQueue`; others come by
 * `@InjectTaskQueue(name)`. It need not be durable: the same code runs on a queue in memory, in tests for one.
 */
export class DurableTaskQueue {
  /** @internal Queues are made by `BackgroundModule`. */
  constructor(
    protected readonly engine: QueueEngine,
    protected readonly handlers: TaskHandlers,
  ) {}

  get name(): string {
    return this.engine.name;
  }

  /** How many tasks may wait; `Infinity` when there is no bound. */
  get capacity(): number {
    return this.engine.capacity;
  }

  /** Whether accepted tasks survive the process. */
  get isDurable(): boolean {
    return this.engine.capabilities.durable;
  }

  /** How many tasks wait. Of a durable queue, as far as this process knows: `BackgroundAdmin.counts()` looks it up. */
  get size(): number {
    return this.engine.size;
  }

  /** How many tasks run in this process. */
  get active(): number {
    return this.engine.active;
  }

  /**
   * How many tasks are held until their time comes: scheduled ones, and those that are to be retried. Of a durable queue,
   * as far as this process knows.
   */
  get scheduled(): number {
    return this.engine.scheduled;
  }

  /** Whether {@link pause} holds the work back. */
  get isPaused(): boolean {
    return this.engine.isPaused;
  }

  /** Hands over a task that has no payload, or whose payload may be left out. */
  enqueue<P, R>(definition: TaskDefinition<P, R, undefined>): Promise<TaskHandle<R>>;
  /**
   * Hands over a task that the `@TaskHandler()` of its definition is to do. The payload is copied as JSON, and validated
   * by the schema of the definition if there is one, before it is accepted. Resolves when the queue has accepted it: at
   * once in memory while there is room, and when it is stored on a durable queue.
   *
   * Rejects with `InvalidPayloadError`, `NoTaskHandlerError`, `WrongQueueError`, `InvalidOptionsError`,
   * `NotSupportedError`, `DuplicateTaskError`, `QueueClosedError`, or the reason of `options.signal`; nothing is accepted
   * then.
   */
  enqueue<P, R, I>(
    definition: TaskDefinition<P, R, I>,
    payload: I,
    options?: EnqueueOptions,
  ): Promise<TaskHandle<R>>;
  enqueue(
    definition: TaskWork | AnyTaskDefinition,
    payload?: unknown,
    options?: EnqueueOptions,
  ): Promise<TaskHandle> {
    return this.enqueueTyped(expectDefined(definition), payload, options);
  }

  /**
   * Hands over a task for each payload, in order, waiting for room as `enqueue()` does. All payloads are checked before
   * the first is accepted: one that is wrong, and nothing is enqueued.
   *
   * Rejects with what `enqueue()` rejects with, an `InvalidPayloadError` having the `index` of the payload; and with
   * `PartlyEnqueuedError` when some tasks were accepted and then no more, because the queue was closed or the signal
   * aborted. With a `transaction` that a failure puts an end to, none was: then it rejects with that failure.
   *
   * @returns the handles, in the order of the payloads
   */
  async enqueueMany<P, R, I>(
    definition: TaskDefinition<P, R, I>,
    payloads: readonly I[],
    options?: Omit<EnqueueOptions, 'deduplicationKey'>,
  ): Promise<TaskHandle<R>[]> {
    giveUpIfAborted(options);
    const prepared = await prepareManyTyped(this.target, expectDefined(definition), payloads, options);
    return [...(await this.engine.enqueueMany(prepared))] as TaskHandle<R>[];
  }

  /**
   * Takes the next task out, waiting for one, for those who write their own worker: with `concurrency: 0` nobody else
   * does. Whoever takes a task runs it with `task.run()`.
   *
   * Rejects with the signal's reason when it is aborted, and with `QueueClosedError` when the queue is closed. While the
   * queue is paused it waits.
   */
  dequeue(options: { signal?: AbortSignal | undefined } = {}): Promise<DequeuedTask> {
    return this.engine.dequeue(options.signal);
  }

  /**
   * The handle of a task that was enqueued before, here or in another process; `undefined` when there is none, or it has
   * ended and is kept no longer.
   *
   * @typeParam R the type of its result, which nobody can check
   */
  async find<R = unknown>(id: string): Promise<TaskHandle<R> | undefined> {
    return (await this.engine.find(id)) as TaskHandle<R> | undefined;
  }

  /**
   * Lets no further task begin, until {@link resume}. Running ones go on, and enqueueing goes on while there is room. In
   * this process it holds at once; a durable queue is paused for all processes, and stays so over restarts.
   */
  pause(): Promise<void> {
    return this.engine.pause();
  }

  resume(): Promise<void> {
    return this.engine.resume();
  }

  /**
   * Resolves when nothing waits, nothing runs, nothing is to be retried, and the last scope is disposed. While the queue
   * is paused and holds work it does not. Scheduled tasks are not waited for until their time has come. More work may
   * arrive at any time after.
   */
  whenIdle(): Promise<void> {
    return this.engine.whenIdle();
  }

  protected async enqueueTyped(
    task: DefinedTask,
    payload: unknown,
    options: EnqueueOptions | undefined,
  ): Promise<TaskHandle> {
    giveUpIfAborted(options);
    const prepared = prepareTypedWork(this.target, task, payload, options);
    // Not awaited when there is nothing to wait for: tasks are accepted in the order in which they are enqueued.
    return this.engine.enqueue(prepared instanceof Promise ? await prepared : prepared);
  }

  protected get target(): TypedTarget {
    return { queue: this.name, handlers: this.handlers };
  }
}

/** Before anything is asked of a schema. Once that has answered, the engine looks at the signal again. */
function giveUpIfAborted(options: Pick<EnqueueOptions, 'signal'> | undefined): void {
  const signal: unknown = options?.signal;
  if (signal instanceof AbortSignal) signal.throwIfAborted();
}

/** @throws InvalidWorkError */
export function expectDefined(definition: unknown): DefinedTask {
  const task = definedTask(definition);
  if (task === undefined) throw new InvalidWorkError(describeValue(definition));
  return task;
}
