import { describeValue } from 'nestjs-nightshift/channels';
import { AsyncPayloadSchemaError, InvalidWorkError, PartlyEnqueuedError } from '../errors.js';
import type { MemoryEngine } from './memory-engine.js';
import {
  definedTask,
  type AnyTaskDefinition,
  type DefinedTask,
  type TaskDefinition,
} from './task-definition.js';
import type { TaskHandlers } from './task-handlers.js';
import type { DequeuedTask, TaskHandle, TaskResult, TaskWork } from './task.js';
import { resolveEnqueueOptions, type EnqueueOptions, type ResolvedQueueOptions } from './tasks.options.js';
import { prepareManyTyped, prepareTypedWork, type TypedTarget } from './typed-work.js';

/**
 * A place to hand work over to, so that a request can answer and leave: the work runs beside it, as soon as a worker is
 * free, in a DI scope of its own.
 *
 * The queue is bounded. When as many tasks wait as it has `capacity`, `enqueue()` waits too (or drops one, see
 * `fullMode`): a producer that awaits it goes no faster than the workers. It never waits for the work itself; for that,
 * await `handle.result()`. Work that enqueues to its own full queue would wait for itself when every place to run is held
 * by work that does so: the last of them gets `QueueSelfWaitError`. Give such queues room, or use `tryEnqueue()`.
 *
 * When the application stops, the queue drains: accepted work runs until the deadline, and may enqueue more; everyone
 * else gets `QueueClosedError`; what is left is reported by name. Tasks are held in memory: a crash loses them.
 *
 * @see .NET `IBackgroundTaskQueue` of the queued hosted service, and `QueueBackgroundWorkItem`
 */
export class TaskQueue {
  /** @internal Queues are made by `BackgroundModule`. */
  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly engine: MemoryEngine,
    private readonly handlers: TaskHandlers,
  ) {}

  get name(): string {
    return this.options.name;
  }

  /** How many tasks may wait. */
  get capacity(): number {
    return this.options.capacity;
  }

  /** How many tasks wait. */
  get size(): number {
    return this.engine.size;
  }

  /** How many tasks run. */
  get active(): number {
    return this.engine.active;
  }

  /** How many tasks are held until their time comes: scheduled ones, and those that are to be retried. */
  get scheduled(): number {
    return this.engine.scheduled;
  }

  /** Whether {@link pause} holds the work back. */
  get isPaused(): boolean {
    return this.engine.paused;
  }

  /**
   * Hands `work` over. Resolves as soon as the queue has accepted it, which is at once while there is room.
   *
   * Rejects with `QueueClosedError` when the application is stopping, with `options.signal`'s reason when that is
   * aborted while waiting for room, and with `QueueSelfWaitError` when the work of this queue waits for itself.
   *
   * @throws InvalidWorkError, InvalidOptionsError at once, before anything is accepted
   */
  enqueue<R>(work: TaskWork<R>, options?: EnqueueOptions): Promise<TaskHandle<TaskResult<R>>>;
  /** Hands over a task that has no payload, or whose payload may be left out. */
  enqueue<P, R>(definition: TaskDefinition<P, R, undefined>): Promise<TaskHandle<R>>;
  /**
   * Hands over a task that the `@TaskHandler()` of its definition is to do. The payload is copied as JSON, and validated
   * by the schema of the definition if there is one, before it is accepted.
   *
   * Rejects as above, and with `InvalidPayloadError`, `NoTaskHandlerError`, `WrongQueueError` or `InvalidOptionsError`;
   * nothing is accepted then.
   */
  enqueue<P, R, I>(
    definition: TaskDefinition<P, R, I>,
    payload: I,
    options?: EnqueueOptions,
  ): Promise<TaskHandle<R>>;
  enqueue(
    work: TaskWork | AnyTaskDefinition,
    payloadOrOptions?: unknown,
    options?: EnqueueOptions,
  ): Promise<TaskHandle> {
    if (typeof work === 'function')
      return this.engine.enqueue(work, resolveEnqueueOptions(payloadOrOptions as EnqueueOptions | undefined));
    return this.enqueueTyped(expectDefined(work), payloadOrOptions, options);
  }

  /**
   * Hands `work` over if there is room, without waiting.
   *
   * @returns the handle, or `undefined` when the queue is full and the work was not accepted
   * @throws QueueClosedError when the application is stopping
   * @throws InvalidWorkError, InvalidOptionsError
   */
  tryEnqueue<R>(work: TaskWork<R>, options?: EnqueueOptions): TaskHandle<TaskResult<R>> | undefined;
  /** Hands over a task that has no payload, or whose payload may be left out, if there is room. */
  tryEnqueue<P, R>(definition: TaskDefinition<P, R, undefined>): TaskHandle<R> | undefined;
  /**
   * Hands over a task that the `@TaskHandler()` of its definition is to do, if there is room.
   *
   * @throws QueueClosedError, InvalidPayloadError, NoTaskHandlerError, WrongQueueError, InvalidOptionsError
   * @throws AsyncPayloadSchemaError when the schema is asynchronous, for which this cannot wait
   */
  tryEnqueue<P, R, I>(
    definition: TaskDefinition<P, R, I>,
    payload: I,
    options?: EnqueueOptions,
  ): TaskHandle<R> | undefined;
  tryEnqueue(
    work: TaskWork | AnyTaskDefinition,
    payloadOrOptions?: unknown,
    options?: EnqueueOptions,
  ): TaskHandle | undefined {
    if (typeof work === 'function')
      return this.engine.tryEnqueue(
        work,
        resolveEnqueueOptions(payloadOrOptions as EnqueueOptions | undefined),
      );
    return this.tryEnqueueTyped(expectDefined(work), payloadOrOptions, options);
  }

  /**
   * Hands over a task for each payload, in order, waiting for room as `enqueue()` does. All payloads are checked before
   * the first is accepted: one that is wrong, and nothing is enqueued.
   *
   * Rejects with what `enqueue()` rejects with, an `InvalidPayloadError` having the `index` of the payload; and with
   * `PartlyEnqueuedError` when some tasks were accepted and then no more, because the queue was closed or the signal
   * aborted.
   *
   * @returns the handles, in the order of the payloads
   */
  async enqueueMany<P, R, I>(
    definition: TaskDefinition<P, R, I>,
    payloads: readonly I[],
    options?: Omit<EnqueueOptions, 'deduplicationKey'>,
  ): Promise<TaskHandle<R>[]> {
    const prepared = await prepareManyTyped(this.target, expectDefined(definition), payloads, options);
    const handles: TaskHandle[] = [];
    for (const each of prepared) {
      try {
        handles.push(await this.engine.enqueue(each.work, each.options));
      } catch (error) {
        if (handles.length === 0) throw error;
        throw new PartlyEnqueuedError(this.name, handles, prepared.length, { cause: error });
      }
    }
    return handles as TaskHandle<R>[];
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

  /** Lets no further task begin, until {@link resume}. Running ones go on, and enqueueing goes on while there is room. */
  pause(): void {
    this.engine.pause();
  }

  resume(): void {
    this.engine.resume();
  }

  /**
   * Resolves when nothing waits, nothing runs, nothing is to be retried, and the last scope is disposed. While the queue
   * is paused and holds work it does not. Scheduled tasks are not waited for until their time has come. More work may
   * arrive at any time after.
   */
  whenIdle(): Promise<void> {
    return this.engine.whenIdle();
  }

  private async enqueueTyped(
    task: DefinedTask,
    payload: unknown,
    options: EnqueueOptions | undefined,
  ): Promise<TaskHandle> {
    const prepared = prepareTypedWork(this.target, task, payload, options);
    // Not awaited when there is nothing to wait for: tasks are accepted in the order in which they are enqueued.
    const typed = prepared instanceof Promise ? await prepared : prepared;
    return this.engine.enqueue(typed.work, typed.options);
  }

  private tryEnqueueTyped(
    task: DefinedTask,
    payload: unknown,
    options: EnqueueOptions | undefined,
  ): TaskHandle | undefined {
    const prepared = prepareTypedWork(this.target, task, payload, options);
    if (!(prepared instanceof Promise)) return this.engine.tryEnqueue(prepared.work, prepared.options);
    prepared.catch(() => {}); // whatever it says, the task is refused
    throw new AsyncPayloadSchemaError(task.name);
  }

  private get target(): TypedTarget {
    return { queue: this.name, handlers: this.handlers };
  }
}

/** @throws InvalidWorkError */
function expectDefined(definition: unknown): DefinedTask {
  const task = definedTask(definition);
  if (task === undefined) throw new InvalidWorkError(describeValue(definition));
  return task;
}
