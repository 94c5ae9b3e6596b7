import { AsyncPayloadSchemaError } from '../errors.js';
import { DurableTaskQueue, expectDefined } from './durable-task-queue.js';
import { resolveEnqueueOptions, type EnqueueOptions } from './enqueue.options.js';
import type { AnyTaskDefinition, DefinedTask, TaskDefinition } from './task-definition.js';
import type { TaskHandle, TaskResult, TaskWork } from './task.js';
import { prepareTypedWork } from './typed-work.js';

/**
 * A place to hand work over to, so that a request can answer and leave: the work runs beside it, as soon as a worker is
 * free, in a DI scope of its own.
 *
 * The queue is bounded. When as many tasks wait as it has `capacity`, `enqueue()` waits too (or drops one, see
 * `fullMode`): a producer that awaits it goes no faster than the workers. It never waits for the work itself; for that,
 * await `handle.result()`. Work that enqueues to its own full queue would wait for itself when every place to run is held
 * by work that does so: the last of them gets `QueueSelfWaitError`. Give such queues room, or use `tryEnqueue()`.
 *
 * When the application stops, a queue in memory drains: accepted work runs until the deadline, and may enqueue more;
 * everyone else gets `QueueClosedError`; what is left is reported by name. A crash loses it. A durable queue finishes what
 * runs, and keeps the rest for the next start; a crash loses nothing that it has accepted.
 *
 * @see .NET `IBackgroundTaskQueue` of the queued hosted service, and `QueueBackgroundWorkItem`
 */
export class TaskQueue extends DurableTaskQueue {
  /**
   * Hands `work` over. Resolves as soon as the queue has accepted it, which is at once while there is room.
   *
   * Rejects with `QueueClosedError` when the application is stopping, with `options.signal`'s reason when that is
   * aborted while waiting for room, with `QueueSelfWaitError` when the work of this queue waits for itself, and with
   * `ClosureNotDurableError` when the queue is durable: see {@link DurableTaskQueue}.
   *
   * @throws InvalidWorkError, InvalidOptionsError at once, before anything is accepted
   */
  override enqueue<R>(work: TaskWork<R>, options?: EnqueueOptions): Promise<TaskHandle<TaskResult<R>>>;
  /** Hands over a task that has no payload, or whose payload may be left out. */
  override enqueue<P, R>(definition: TaskDefinition<P, R, undefined>): Promise<TaskHandle<R>>;
  /** See {@link DurableTaskQueue.enqueue}. */
  override enqueue<P, R, I>(
    definition: TaskDefinition<P, R, I>,
    payload: I,
    options?: EnqueueOptions,
  ): Promise<TaskHandle<R>>;
  override enqueue(
    work: TaskWork | AnyTaskDefinition,
    payloadOrOptions?: unknown,
    options?: EnqueueOptions,
  ): Promise<TaskHandle> {
    if (typeof work === 'function')
      return this.engine.enqueue({
        work,
        options: resolveEnqueueOptions(payloadOrOptions as EnqueueOptions | undefined),
      });
    return this.enqueueTyped(expectDefined(work), payloadOrOptions, options);
  }

  /**
   * Hands `work` over if there is room, without waiting. For queues in memory: a durable one cannot answer at once.
   *
   * @returns the handle, or `undefined` when the queue is full and the work was not accepted
   * @throws QueueClosedError when the application is stopping
   * @throws InvalidWorkError, InvalidOptionsError, DuplicateTaskError, NotSupportedError
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
      return this.engine.tryEnqueue({
        work,
        options: resolveEnqueueOptions(payloadOrOptions as EnqueueOptions | undefined),
      });
    return this.tryEnqueueTyped(expectDefined(work), payloadOrOptions, options);
  }

  private tryEnqueueTyped(
    task: DefinedTask,
    payload: unknown,
    options: EnqueueOptions | undefined,
  ): TaskHandle | undefined {
    const prepared = prepareTypedWork(this.target, task, payload, options);
    if (!(prepared instanceof Promise)) return this.engine.tryEnqueue(prepared);
    prepared.catch(() => {}); // whatever it says, the task is refused
    throw new AsyncPayloadSchemaError(task.name);
  }
}
