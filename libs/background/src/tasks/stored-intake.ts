import { DuplicateTaskError, NotSupportedError, PartlyEnqueuedError, QueueClosedError } from '../errors.js';
import type { EngineDependencies } from './background-engine.js';
import { enqueueInOrder, enqueueTogether } from './enqueue-many.js';
import type { EnqueueRequest } from './queue-engine.js';
import type { ResolvedQueueOptions } from './queue.options.js';
import { RoomWaiters } from './room-waiters.js';
import type { StoreSession } from './store-session.js';
import type { StoredHandle } from './stored-handle.js';
import { toNewTask } from './stored-task.js';
import type { DroppedTask, InsertOutcome, NewTask, QueueBound } from './task-storage.js';
import { tellDropped } from './tell-dropped.js';

/** What the intake needs of the engine. */
export interface StoredIntakeOwner {
  handleOf(id: string, name: string): StoredHandle;
  /** Waits, unless that could never end. */
  waitAsProducer<T>(signal: AbortSignal | undefined, wait: () => Promise<T>): Promise<T>;
  /** A task is stored. */
  onAccepted(task: NewTask): void;
  /** These tasks have come to an end without having run here. */
  onEnded(ids: readonly string[]): void;
}

/** Takes tasks into a store: at once, or when there is room. */
export class StoredIntake {
  private readonly room = new RoomWaiters();
  /** Errors with which a transaction was lost, and with it all that was accepted in it. */
  private readonly voiding = new WeakSet<object>();

  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly dependencies: Pick<EngineDependencies, 'clock' | 'events'>,
    private readonly session: StoreSession,
    private readonly owner: StoredIntakeOwner,
  ) {}

  async enqueue(request: EnqueueRequest): Promise<StoredHandle> {
    const { signal, transaction } = request.options;
    signal?.throwIfAborted();
    this.expectOpen();
    const task = this.toNewTask(request);
    for (;;) {
      const outcome = await this.insert(task, transaction);
      if (outcome.kind !== 'full') return this.accept(task, outcome);
      if (transaction !== undefined) throw this.fullInTransaction();
      this.session.watch(); // room may come free elsewhere
      await this.owner.waitAsProducer(signal, () => this.room.wait(signal));
      signal?.throwIfAborted();
      this.expectOpen();
    }
  }

  async enqueueMany(requests: readonly EnqueueRequest[]): Promise<readonly StoredHandle[]> {
    const { name, capacity } = this.options;
    const isWithin = requests.some(({ options }) => options.transaction !== undefined);
    // Together in as few commits as can be; but the connection of a transaction does one thing at a time.
    const enqueueEach = capacity === undefined && !isWithin ? enqueueTogether : enqueueInOrder;
    try {
      return await enqueueEach(name, requests, (request) => this.enqueue(request));
    } catch (error) {
      if (error instanceof PartlyEnqueuedError && this.voiding.has(error.cause as object)) throw error.cause;
      throw error;
    }
  }

  /** Producers who wait may try again: so many of them, or all. */
  roomMayBeFree(count?: number): void {
    if (count === undefined) this.room.releaseAll();
    else this.room.release(count);
  }

  /** Releases whoever waits. */
  close(): void {
    this.room.close(new QueueClosedError(this.options.name));
  }

  private toNewTask(request: EnqueueRequest): NewTask {
    const { name: queue, retry } = this.options;
    const engine = this.session.storage.name;
    return toNewTask({ queue, engine, retry }, request, Math.floor(this.dependencies.clock.now()));
  }

  private insert(task: NewTask, transaction: unknown): Promise<InsertOutcome> {
    const { capacity, fullMode } = this.options;
    const bound = { capacity, fullMode };
    return transaction === undefined
      ? this.session.storage.insert(task, bound)
      : this.insertWithin(transaction, task, bound);
  }

  private async insertWithin(transaction: unknown, task: NewTask, bound: QueueBound): Promise<InsertOutcome> {
    const { storage } = this.session;
    try {
      return await storage.insertWithin(transaction, task, bound);
    } catch (error) {
      if (storage.losesTransactions && error instanceof Error) this.voiding.add(error);
      throw error;
    }
  }

  private accept(task: NewTask, outcome: Exclude<InsertOutcome, { kind: 'full' }>): StoredHandle {
    const { events } = this.dependencies;
    const { queue, name, deduplication, dueAtMs } = task;
    const { id } = outcome;
    if (outcome.kind === 'duplicate') {
      const { key, onConflict } = deduplication!;
      if (onConflict === 'reject') throw new DuplicateTaskError(queue, key, id);
      events.emit('task.deduplicated', { queue, taskId: id, name: outcome.name, key });
      return this.owner.handleOf(id, outcome.name);
    }
    if (outcome.kind === 'dropped') {
      this.drop([{ id, name }]);
      return this.owner.handleOf(id, name);
    }
    if (outcome.replaced !== undefined) this.tellReplaced(outcome.replaced, deduplication!.key);
    if (outcome.dropped.length > 0) this.drop(outcome.dropped);
    if (events.wants('task.enqueued')) events.emit('task.enqueued', { queue, taskId: id, name });
    if (dueAtMs !== undefined)
      events.emit('task.scheduled', { queue, taskId: id, name, runAt: new Date(dueAtMs) });
    this.owner.onAccepted(task);
    return this.owner.handleOf(id, name);
  }

  private tellReplaced({ id, name }: DroppedTask, key: string): void {
    this.dependencies.events.emit('task.replaced', { queue: this.options.name, taskId: id, name, key });
    this.owner.onEnded([id]);
  }

  private drop(tasks: readonly DroppedTask[]): void {
    for (const { id, name } of tasks)
      tellDropped(this.owner.handleOf(id, name), this.options, this.dependencies.events);
    this.owner.onEnded(tasks.map(({ id }) => id));
  }

  private fullInTransaction(): NotSupportedError {
    const { name } = this.options;
    const why = `queue '${name}' is full, and to wait for room while your transaction is open would hold up everybody who writes`;
    return new NotSupportedError(this.session.storage.name, 'transaction', why);
  }

  private expectOpen(): void {
    if (this.session.closed) throw new QueueClosedError(this.options.name);
  }
}
