import { describeValue } from 'nestjs-nightshift/channels';
import { InvalidWorkError } from '../errors.js';
import type { MemoryEngine } from './memory-engine.js';
import type { DequeuedTask, TaskHandle, TaskWork } from './task.js';
import { resolveEnqueueOptions, type EnqueueOptions, type ResolvedQueueOptions } from './tasks.options.js';

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
  enqueue<R>(work: TaskWork<R>, options?: EnqueueOptions): Promise<TaskHandle<R>> {
    checkWork(work);
    return this.engine.enqueue(work, resolveEnqueueOptions(options)) as Promise<TaskHandle<R>>;
  }

  /**
   * Hands `work` over if there is room, without waiting.
   *
   * @returns the handle, or `undefined` when the queue is full and the work was not accepted
   * @throws QueueClosedError when the application is stopping
   * @throws InvalidWorkError, InvalidOptionsError
   */
  tryEnqueue<R>(work: TaskWork<R>, options?: EnqueueOptions): TaskHandle<R> | undefined {
    checkWork(work);
    return this.engine.tryEnqueue(work, resolveEnqueueOptions(options)) as TaskHandle<R> | undefined;
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
   * Resolves when nothing waits, nothing runs, and the last scope is disposed. While the queue is paused and holds work
   * it does not. More work may arrive at any time after.
   */
  whenIdle(): Promise<void> {
    return this.engine.whenIdle();
  }
}

function checkWork(work: unknown): void {
  if (typeof work !== 'function') throw new InvalidWorkError(describeValue(work));
}
