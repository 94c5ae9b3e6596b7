// Long because it is the contract of an engine, method by method; what is more than a step is in files of its own.
import type { Queue } from 'bullmq';
import {
  DuplicateTaskError,
  enqueueInOrder,
  enqueueTogether,
  NotSupportedError,
  QueueClosedError,
  RoomWaiters,
  StoredHandle,
  StoredResults,
  TaskCancelledError,
  toErrorRecord,
  toNewTask,
  resolveTaskFilter,
  resolveTaskQuery,
  UnknownTaskError,
  WaitList,
  type DequeuedTask,
  type EngineCapabilities,
  type EngineDependencies,
  type EnqueueRequest,
  type LeftWork,
  type NewTask,
  type QueueEngine,
  type ResolvedQueueOptions,
  type SettledOutcome,
  type StoredTaskOwner,
  type TaskCounts,
  type TaskDetails,
  type TaskFilter,
  type TaskLabel,
  type TaskPage,
  type TaskQuery,
  type TaskState,
} from 'nestjs-nightshift';
import { capabilities, engineName } from './capabilities.js';
import { JobAdder, type Added } from './job-adder.js';
import { toBullmqName } from './job-order.js';
import { displayName } from './job-record.js';
import { JobPruner } from './job-pruner.js';
import { JobRunner } from './job-runner.js';
import { hasPlace, priorityLimit } from './priorities.js';
import { QueueStore, type QueueLook } from './queue-store.js';
import { LastOutcomes } from './last-outcomes.js';
import type { RedisSession } from './redis-session.js';
import { WaitingProducers } from './waiting-producers.js';

/** How often what has ended long ago is pruned. */
const tidyEveryMs = 2_000;

const unfinished = ['scheduled', 'waiting', 'active', 'retrying'] as const;
const endedBadly = ['dead', 'discarded', 'cancelled', 'expired'] as const;
const ended = ['completed', ...endedBadly] as const;

/** One queue of BullMQ, as a queue of tasks. */
export class BullmqQueue implements QueueEngine, StoredTaskOwner {
  readonly capabilities: EngineCapabilities = capabilities;
  isClosedToOutsiders = false;
  isOver = false;
  private readonly store: QueueStore;
  private readonly queue: Queue;
  private readonly adder: JobAdder;
  private readonly pruner: JobPruner;
  private readonly runner: JobRunner;
  private readonly results: StoredResults;
  private readonly lastUnkept = new LastOutcomes();
  private readonly room = new RoomWaiters();
  private readonly becomingIdle = new WaitList();
  private readonly becomingCalm = new WaitList();
  private readonly waiters: WaitingProducers;
  private readonly endWatch: () => void;
  private known = { waiting: 0, later: 0 };
  /** How often this process has changed what a look sees, so that one that began before is not believed. */
  private changes = 0;
  private pauseChanges = 0;
  private pausesUnderWay = 0;
  private tidiedAt = 0;
  private hasReleased = false;
  isPaused = false;

  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly dependencies: EngineDependencies,
    private readonly session: RedisSession,
  ) {
    const bullmqName = toBullmqName(options.name);
    const { Queue: BaseQueue } = session.bullmq;
    const { prefix } = session.options;
    this.queue = new BaseQueue(bullmqName, {
      connection: session.client as never,
      prefix,
    });
    this.queue.on('error', (error) => session.fail('use the queue', error));
    this.store = new QueueStore(session, options.name, bullmqName);
    this.pruner = new JobPruner(session, this.store.base);
    this.adder = new JobAdder(session, this.store.base, this.queue, options);
    this.runner = new JobRunner(options, dependencies, session, this.store, {
      onDelivered: () => this.onDelivered(),
      onQuiet: () => this.onQuiet(),
      onSettled: (id, outcome, isKept) => this.onSettled(id, outcome, isKept),
    });
    this.results = new StoredResults(options.name, options.fullMode, this.store, (id) => this.runner.has(id));
    this.waiters = new WaitingProducers(options.name, options.concurrency, this.runner.runs);
    this.endWatch = session.watch(() => this.look());
  }

  get name(): string {
    return this.options.name;
  }

  get capacity(): number {
    return this.options.capacity ?? Number.POSITIVE_INFINITY;
  }

  get size(): number {
    return Math.max(0, this.known.waiting);
  }

  get active(): number {
    return this.runner.runs.active;
  }

  get scheduled(): number {
    return Math.max(0, this.known.later);
  }

  get finished(): number {
    return this.runner.runs.finished;
  }

  get runningTasks(): readonly TaskLabel[] {
    return this.runner.runs.labels;
  }

  async enqueue(request: EnqueueRequest): Promise<StoredHandle> {
    const { signal } = request.options;
    signal?.throwIfAborted();
    this.expectOpen();
    const task = this.toTask(request);
    if (this.adder.isPlain(task))
      return this.accept(task, { kind: 'added', id: await this.adder.addPlain(task), replaced: undefined });
    for (;;) {
      const added = await this.adder.add(task);
      if (added.kind !== 'full') return this.accept(task, added);
      await this.waiters.waitAsProducer(() => this.room.wait(signal));
      signal?.throwIfAborted();
      this.expectOpen();
    }
  }

  enqueueMany(requests: readonly EnqueueRequest[]): Promise<readonly StoredHandle[]> {
    const enqueueEach = this.options.capacity === undefined ? enqueueTogether : enqueueInOrder;
    return enqueueEach(this.name, requests, (request) => this.enqueue(request));
  }

  tryEnqueue(): never {
    throw this.lack('tryEnqueue');
  }

  dequeue(signal: AbortSignal | undefined): Promise<DequeuedTask> {
    return this.runner.supply.dequeue(signal);
  }

  async pause(): Promise<void> {
    this.setPaused(true);
    await this.changePause(() => this.session.reach('pause', () => this.queue.pause()));
  }

  async resume(): Promise<void> {
    this.setPaused(false);
    await this.changePause(() => this.session.reach('resume', () => this.queue.resume()));
  }

  async whenIdle(): Promise<void> {
    const idle = this.becomingIdle.wait();
    this.lookNow();
    return idle;
  }

  async find(id: string): Promise<StoredHandle | undefined> {
    const [job] = await this.store.read([id]);
    return job && new StoredHandle(this, id, displayName(job.fields['name'] ?? '', job.fields['opts'] ?? ''));
  }

  details(id: string): Promise<TaskDetails | undefined> {
    return this.store.details(id);
  }

  async search(query: TaskQuery): Promise<TaskPage> {
    return this.store.search(resolveTaskQuery(query));
  }

  async counts(): Promise<TaskCounts> {
    const counts = await this.store.counts();
    this.known = { waiting: counts.waiting, later: counts.scheduled + counts.retrying };
    return counts;
  }

  async retry(filter: TaskFilter): Promise<number> {
    const { name: queue } = this;
    const found = await this.store.matching(resolveTaskFilter(filter), endedBadly);
    const ids = new Set(await this.store.retry(found.map(({ id }) => id)));
    for (const { id: taskId, name } of found)
      if (ids.has(taskId)) this.dependencies.events.emit('task.retried', { queue, taskId, name });
    this.change(ids.size, 0);
    return ids.size;
  }

  async cancel(filter: TaskFilter, reason: unknown): Promise<number> {
    const { name: queue } = this;
    const error = toErrorRecord(new TaskCancelledError('', queue, reason));
    const found = await this.store.matching(resolveTaskFilter(filter), unfinished);
    const outcomes = await this.store.cancel(
      found.map(({ id }) => id),
      error,
    );
    const cancelled: string[] = [];
    for (const [i, { id: taskId, name }] of found.entries()) {
      if (outcomes[i] === 2) await this.runner.runs.cancel(taskId, reason);
      if (outcomes[i] !== 1) continue;
      cancelled.push(taskId);
      this.dependencies.events.emit('task.cancelled', { queue, taskId, name, reason });
    }
    this.changes += 1;
    await this.afterChange(cancelled);
    return outcomes.filter((outcome) => outcome > 0).length;
  }

  async remove(filter: TaskFilter): Promise<number> {
    const found = await this.store.matching(resolveTaskFilter(filter), ended);
    return this.store.remove(found.map(({ id }) => id));
  }

  open(): void {
    this.runner.open(toBullmqName(this.name));
  }

  closeToOutsiders(): void {
    this.isClosedToOutsiders = true;
    this.runner.stopFetching();
    this.becomingCalm.release();
  }

  /** Never: what waits is kept for the next start. */
  willRunBefore(): boolean {
    return false;
  }

  whenCalm(): Promise<void> {
    return this.isClosedToOutsiders ? Promise.resolve() : this.becomingCalm.wait();
  }

  whenQuiet(): Promise<void> {
    return this.runner.whenQuiet();
  }

  close(): LeftWork {
    this.closeToOutsiders();
    this.isOver = true;
    return { waiting: [], retrying: [], aborted: this.runner.runs.abortAll() };
  }

  async giveUpRunning(): Promise<void> {
    this.runner.runs.giveUpAll();
    await this.runner.whenQuiet();
  }

  /** Nothing of it is left: the engine closes. */
  async dispose(): Promise<void> {
    this.endWatch();
    this.room.close(new QueueClosedError(this.name));
    await this.runner.close();
    this.results.rejectAll();
    await this.queue.close().catch((error: unknown) => this.session.fail('close the queue', error));
  }

  resultOf(id: string): Promise<unknown> {
    const result = this.results.of(id);
    const outcome = this.lastUnkept.get(id);
    if (outcome !== undefined) this.results.settle(id, outcome);
    return result;
  }

  async cancelOne(id: string, reason: unknown): Promise<boolean> {
    return (await this.cancel({ ids: [id] }, reason)) > 0;
  }

  async stateOf(id: string): Promise<TaskState> {
    const state = await this.store.state(this.name, id);
    if (state === undefined) throw new UnknownTaskError(this.name, id);
    return state;
  }

  private toTask(request: EnqueueRequest): NewTask {
    const { options } = request;
    if (options.transaction !== undefined) throw this.lack('transaction');
    if (!hasPlace(options.priority))
      throw new NotSupportedError(
        engineName,
        'priority',
        `${options.priority} is beyond what BullMQ has room for: from -${priorityLimit} to ${priorityLimit}`,
      );
    const target = { queue: this.name, engine: engineName, retry: this.options.retry };
    return toNewTask(target, request, this.session.now());
  }

  private accept(task: NewTask, added: Exclude<Added, { kind: 'full' }>): StoredHandle {
    const { events } = this.dependencies;
    const { queue, name, deduplication, dueAtMs } = task;
    const { id } = added;
    if (added.kind === 'duplicate') {
      const { key, onConflict } = deduplication!;
      if (onConflict === 'reject') throw new DuplicateTaskError(queue, key, id);
      events.emit('task.deduplicated', { queue, taskId: id, name: added.name, key });
      return new StoredHandle(this, id, added.name);
    }
    if (added.replaced !== undefined) {
      const { id: taskId, name: replaced } = added.replaced;
      events.emit('task.replaced', { queue, taskId, name: replaced, key: deduplication!.key });
      void this.afterChange([taskId]);
    }
    if (events.wants('task.enqueued')) events.emit('task.enqueued', { queue, taskId: id, name });
    if (dueAtMs === undefined) {
      this.change(1, 0);
      this.runner.supply.fetchSoon();
    } else {
      this.change(0, 1);
      events.emit('task.scheduled', { queue, taskId: id, name, runAt: new Date(dueAtMs) });
    }
    return new StoredHandle(this, id, name);
  }

  /** What a look has seen meanwhile is not believed. If the change fails, the next one says how things are. */
  private async changePause(change: () => Promise<void>): Promise<void> {
    this.pauseChanges += 1;
    this.pausesUnderWay += 1;
    try {
      await change();
    } finally {
      this.pausesUnderWay -= 1;
      this.pauseChanges += 1;
    }
  }

  private async look(): Promise<void> {
    const { changes, pauseChanges } = this;
    this.runner.flushNotes();
    this.runner.supply.fetchSoon();
    const look = await this.store.look();
    if (pauseChanges === this.pauseChanges && this.pausesUnderWay === 0) this.setPaused(look.isPaused);
    this.runner.hearCancellations(look.cancellations);
    this.tellExpired(look.expired);
    if (changes === this.changes)
      this.known = {
        waiting: look.waiting + look.parents + look.heldBack,
        later: look.delayed - look.heldBack,
      };
    if (this.options.capacity !== undefined)
      this.room.release(this.options.capacity - look.waiting - look.heldBack);
    if (this.runner.isOpen) await this.release(look.heldBack);
    await this.results.lookAtAll();
    if (!this.becomingIdle.isEmpty) await this.checkIdle(look);
    await this.tidyUp();
  }

  private async release(heldBack: number): Promise<void> {
    const { names } = this.dependencies.handlers;
    const left = heldBack === 0 ? [] : await this.session.run('release', this.store.base, names);
    if (!this.hasReleased) this.runner.tellParked(left as readonly string[]); // since before this start
    this.hasReleased = true;
  }

  private lookNow(): void {
    void this.look().catch((error: unknown) => this.session.fail('look for changes', error));
  }

  private async checkIdle({ waiting, parents, active, delayed }: QueueLook): Promise<void> {
    const { changes } = this;
    if (waiting + parents + active > 0 || !this.runner.isQuiet) return;
    const later = await this.store.tally('delayed', delayed);
    const isIdle = (later.get('waiting') ?? 0) + (later.get('retrying') ?? 0) === 0;
    if (isIdle && changes === this.changes && this.runner.isQuiet) this.becomingIdle.release();
  }

  private async tidyUp(): Promise<void> {
    const now = this.dependencies.clock.monotonic();
    if (!this.runner.isOpen || now - this.tidiedAt < tidyEveryMs) return;
    this.tidiedAt = now;
    await this.pruner.prune(this.options.retention);
  }

  private tellExpired(expired: QueueLook['expired']): void {
    const { name: queue } = this;
    for (const { id: taskId, name, options, expiresInMs } of expired)
      this.dependencies.events.emit('task.expired', {
        queue,
        taskId,
        name: displayName(name, options),
        expiresInMs,
      });
  }

  /** These tasks have come to an end without having run here. */
  private async afterChange(ids: readonly string[]): Promise<void> {
    this.room.release(ids.length);
    try {
      await this.results.lookAt(ids);
      await this.look();
    } catch (error) {
      this.session.fail('look for changes', error);
    }
  }

  private change(waiting: number, later: number): void {
    this.changes += 1;
    this.known.waiting += waiting;
    this.known.later += later;
  }

  private onDelivered(): void {
    this.change(-1, 0);
    this.room.release(1);
  }

  /** Whoever waits for that need not wait for the next look. */
  private onQuiet(): void {
    if (!this.becomingIdle.isEmpty) this.lookNow();
  }

  private onSettled(id: string, outcome: SettledOutcome | undefined, isKept: boolean): void {
    this.changes += 1;
    if (outcome === undefined) return;
    this.results.settle(id, outcome);
    if (!isKept) this.lastUnkept.add(id, outcome);
  }

  private setPaused(isPaused: boolean): void {
    if (this.isPaused === isPaused) return;
    this.isPaused = isPaused;
    this.runner.setPaused(isPaused);
    this.dependencies.events.emit(isPaused ? 'queue.paused' : 'queue.resumed', { queue: this.name });
  }

  private expectOpen(): void {
    if (this.session.closed) throw new QueueClosedError(this.name);
  }

  private lack(feature: 'tryEnqueue' | 'transaction'): NotSupportedError {
    return new NotSupportedError(engineName, feature, capabilities.lacks[feature]!);
  }
}
