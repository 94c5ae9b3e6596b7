import { DuplicateTaskError, NotSupportedError, QueueClosedError, TaskDiscardedError } from '../errors.js';
import { isInsideBackgroundWork } from '../scopes/background-context.js';
import { enqueueInOrder } from './enqueue-many.js';
import type { ResolvedDeduplication } from './enqueue.options.js';
import type { ExpiringTasks } from './expiring-tasks.js';
import type { HeldTasks } from './held-tasks.js';
import { LocalTask, type TaskOwner } from './local-task.js';
import { memoryCapabilities } from './memory-capabilities.js';
import type { EnqueueRequest } from './queue-engine.js';
import type { TaskDispatch } from './task-dispatch.js';
import type { TaskExecutionDependencies } from './task-execution.js';
import type { TaskWorkers } from './task-workers.js';
import { waitAlong, type UniqueTasks } from './unique-tasks.js';
import type { WaitingTasks } from './waiting-tasks.js';

/** The latest instant that a `Date` can tell. */
const latestDateMs = 8_640_000_000_000_000;

/** Where the tasks of a queue in memory can be. */
export interface TaskPlaces {
  readonly waiting: WaitingTasks;
  /** Scheduled, or to be retried. */
  readonly held: HeldTasks;
  readonly expiring: ExpiringTasks;
  readonly unique: UniqueTasks;
  readonly workers: TaskWorkers;
  readonly dispatch: TaskDispatch;
}

/** What the intake needs of the engine. */
export interface IntakeOwner extends TaskOwner {
  /** Whether it takes nothing from the calling code. */
  isClosed(): boolean;
  /** Aborted when nobody but running work may wait for space any more. */
  readonly outsidersReleased: AbortSignal;
  /** There is one task more to be waited for, or one less. */
  count(by: 1 | -1): void;
  /** Takes a task that has come to its end without running from where it is. */
  takeOut(task: LocalTask): void;
  /** A task has come to its end, and is nowhere any more. */
  leave(task: LocalTask): void;
}

/** Takes tasks into a queue in memory: at once, later, in place of another, or when there is room. */
export class TaskIntake {
  private lastPlace = 0;

  constructor(
    private readonly owner: IntakeOwner,
    private readonly dependencies: Pick<TaskExecutionDependencies, 'clock' | 'events'>,
    private readonly places: TaskPlaces,
  ) {}

  enqueue(request: EnqueueRequest): Promise<LocalTask> {
    const { deduplication, signal, transaction } = request.options;
    if (transaction !== undefined) return Promise.reject(notInTransactions());
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.owner.isClosed()) return Promise.reject(new QueueClosedError(this.owner.name));
    return deduplication === undefined
      ? this.add(this.create(request))
      : this.enqueueUnique(request, deduplication);
  }

  enqueueMany(requests: readonly EnqueueRequest[]): Promise<readonly LocalTask[]> {
    return enqueueInOrder(this.owner.name, requests, (request) => this.enqueue(request));
  }

  tryEnqueue(request: EnqueueRequest): LocalTask | undefined {
    const { deduplication, transaction } = request.options;
    if (transaction !== undefined) throw notInTransactions();
    if (this.owner.isClosed()) throw new QueueClosedError(this.owner.name);
    const twin = deduplication && this.places.unique.find(deduplication.key);
    if (twin !== undefined) {
      // What waits for space has not been accepted, and there is none for this one either.
      if (this.places.unique.entryOf(twin) !== undefined) return undefined;
      if (deduplication!.onConflict !== 'replace') return this.meet(twin, deduplication!);
    }
    const task = this.create(request);
    if (this.schedule(task)) return task;
    if (!this.offer(task)) {
      this.owner.leave(task);
      return undefined;
    }
    return task.isWaiting || task.isActive ? task : undefined; // not when dropping it made the room
  }

  /** Says that a task is accepted: once, and not when it was dropped or given up in the same step. */
  announce(task: LocalTask): void {
    if (task.isAnnounced || task.isSettled) return;
    task.isAnnounced = true;
    const { clock, events } = this.dependencies;
    const { expiresInMs, deduplication } = task.options;
    if (expiresInMs !== undefined) {
      const waitedMs = clock.now() - task.enqueuedAt.getTime(); // for space
      this.places.expiring.add(task, Math.max(0, expiresInMs - waitedMs));
    }
    if (events.wants('task.enqueued')) events.emit('task.enqueued', { ...task.label, queue: task.queue });
    if (deduplication !== undefined) this.replace(this.places.unique.accepted(task), task, deduplication.key);
  }

  private async enqueueUnique(
    request: EnqueueRequest,
    deduplication: ResolvedDeduplication,
  ): Promise<LocalTask> {
    const { unique } = this.places;
    const { onConflict } = deduplication;
    const twin = unique.find(deduplication.key);
    const entry = twin && unique.entryOf(twin);
    if (entry !== undefined) {
      const { signal } = request.options;
      return this.waitAsProducer(signal, () =>
        waitAlong(entry, signal, {
          entered: (task) =>
            onConflict === 'replace' ? this.enqueue(request) : this.meet(task, deduplication),
          otherwise: () => this.enqueue(request),
        }),
      );
    }
    if (twin !== undefined && onConflict !== 'replace') return this.meet(twin, deduplication);
    const task = this.create(request);
    const added = this.add(task);
    if (!task.isAnnounced) unique.noteEntering(task, added);
    return added;
  }

  /** There is a task with the key, and no other is added. */
  private meet(twin: LocalTask, { key, onConflict }: ResolvedDeduplication): LocalTask {
    if (onConflict === 'reject') throw new DuplicateTaskError(this.owner.name, key, twin.id);
    this.dependencies.events.emit('task.deduplicated', { ...twin.label, queue: twin.queue, key });
    return twin;
  }

  /** A task gives way to one that has its key and has just been accepted, unless it runs or has ended. */
  private replace(old: LocalTask | undefined, by: LocalTask, key: string): void {
    if (old === undefined || old.isActive || old.isSettled) return;
    const reason = `replaced by task ${by.id}, which has the same deduplicationKey`;
    old.settle('discarded', new TaskDiscardedError(old.id, old.queue, reason));
    this.dependencies.events.emit('task.replaced', { ...old.label, queue: old.queue, key });
    this.owner.takeOut(old);
  }

  private create({ work, options, typed }: EnqueueRequest): LocalTask {
    this.owner.count(1);
    const afterMs = this.dependencies.clock.now() - this.owner.madeAtMs;
    const task = new LocalTask(this.owner, work, options, afterMs, typed);
    this.lastPlace += 1;
    task.place = this.lastPlace;
    const { deduplication } = options;
    if (deduplication !== undefined) this.places.unique.add(task, deduplication.onConflict === 'replace');
    return task;
  }

  private add(task: LocalTask): Promise<LocalTask> {
    return this.schedule(task) || this.offer(task) ? Promise.resolve(task) : this.waitForSpace(task);
  }

  /** Holds a task back whose time has not come; `false` when it has. */
  private schedule(task: LocalTask): boolean {
    const { delayMs, runAtMs } = task.options;
    if (delayMs === undefined && runAtMs === undefined) return false;
    const { clock, events } = this.dependencies;
    const now = clock.now();
    const waitMs = delayMs ?? runAtMs! - now;
    if (waitMs <= 0) return false;
    this.owner.count(-1);
    task.holdBack();
    this.places.held.add(task, waitMs);
    this.announce(task);
    const runAt = new Date(Math.min(now + waitMs, latestDateMs));
    events.emit('task.scheduled', { ...task.label, queue: task.queue, runAt });
    return true;
  }

  private offer(task: LocalTask): boolean {
    const { dispatch, waiting, unique } = this.places;
    const { deduplication } = task.options;
    const old = deduplication === undefined ? undefined : unique.replacedBy(task);
    if (old !== undefined && waiting.replace(old, task)) {
      this.announce(task);
      dispatch.pump(); // what was held back by its key has perhaps made way for what is not
      return true;
    }
    if (!dispatch.offer(task)) return false;
    this.announce(task);
    return true;
  }

  private async waitForSpace(task: LocalTask): Promise<LocalTask> {
    const { signal } = task.options;
    const released = isInsideBackgroundWork() ? undefined : this.owner.outsidersReleased;
    try {
      await this.waitAsProducer(signal, () => this.places.waiting.add(task, [signal, released]));
    } catch (error) {
      this.owner.leave(task);
      throw error;
    }
    this.announce(task);
    return task;
  }

  private waitAsProducer<T>(signal: AbortSignal | undefined, wait: () => Promise<T>): Promise<T> {
    const { workers, dispatch } = this.places;
    return workers.waitAsProducer(signal, wait, dispatch.canHandOut);
  }
}

function notInTransactions(): NotSupportedError {
  return new NotSupportedError('memory', 'transaction', memoryCapabilities.lacks.transaction!);
}
