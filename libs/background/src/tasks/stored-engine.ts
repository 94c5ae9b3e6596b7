// Long because it is the contract of an engine, method by method; what is more than a step is in files of its own.
import { NotSupportedError, TaskCancelledError, UnknownTaskError } from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import type { EngineDependencies } from './background-engine.js';
import { toErrorRecord } from './error-record.js';
import { KnownCounts } from './known-counts.js';
import type { LocalTask } from './local-task.js';
import type { EngineCapabilities, EnqueueRequest, LeftWork, QueueEngine } from './queue-engine.js';
import type { ResolvedQueueOptions } from './queue.options.js';
import { endStates } from './retention.js';
import type { SessionQueue, StoreSession } from './store-session.js';
import { StoredHandle, type StoredTaskOwner } from './stored-handle.js';
import { StoredIntake } from './stored-intake.js';
import { StoredResults, type SettledOutcome } from './stored-results.js';
import { StoredRuns } from './stored-runs.js';
import { resolveTaskFilter, resolveTaskQuery, toCursor } from './task-query.js';
import type { TaskCounts, TaskDetails, TaskFilter, TaskPage, TaskQuery } from './task-record.js';
import type { Heartbeat, NewTask, RecoveryResult } from './task-storage.js';
import type { DequeuedTask, TaskState } from './task.js';
import { WaitList } from './wait-list.js';

/**
 * Keeps the tasks of one queue in a store, where other processes may see them too. What it enqueues is stored when the
 * promise resolves; as many tasks as there are places are claimed at a time, so what is claimed runs.
 */
export class StoredEngine implements QueueEngine, SessionQueue, StoredTaskOwner {
  isClosedToOutsiders = false;
  private readonly runs: StoredRuns;
  private readonly results: StoredResults;
  private readonly intake: StoredIntake;
  private readonly becomingIdle = new WaitList();
  private readonly becomingCalm = new WaitList();
  private isFinallyClosed = false;
  private isHeldBack = false;
  private isCheckingIdle = false;
  private readonly known: KnownCounts;

  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly dependencies: EngineDependencies,
    private readonly session: StoreSession,
    readonly capabilities: EngineCapabilities,
  ) {
    this.results = new StoredResults(options.name, options.fullMode, session.storage, (id) =>
      this.runs.has(id),
    );
    this.runs = new StoredRuns(options, dependencies, session, {
      onClaimed: (count) => this.onClaimed(count),
      onSettled: (task, outcome) => this.onSettled(task, outcome),
      onEndedElsewhere: (ids) => this.afterChange(ids),
    });
    this.known = new KnownCounts(
      dependencies.clock,
      () => this.counts(),
      (error) => session.fail('count tasks', error),
    );
    this.intake = new StoredIntake(options, dependencies, session, {
      handleOf: (id, name) => new StoredHandle(this, id, name),
      waitAsProducer: (signal, wait) => this.runs.waitAsProducer(signal, wait),
      onAccepted: (task) => this.onAccepted(task),
      onEnded: (ids) => this.afterChange(ids),
    });
    this.isHeldBack = session.add(this);
    this.runs.setPaused(this.isHeldBack);
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
    return this.runs.active;
  }

  get scheduled(): number {
    return Math.max(0, this.known.later);
  }

  get finished(): number {
    return this.runs.finished;
  }

  get isPaused(): boolean {
    return this.isHeldBack;
  }

  get isOver(): boolean {
    return this.isFinallyClosed;
  }

  get runningTasks(): readonly TaskLabel[] {
    return this.runs.labels;
  }

  enqueue(request: EnqueueRequest): Promise<StoredHandle> {
    return this.intake.enqueue(request);
  }

  enqueueMany(requests: readonly EnqueueRequest[]): Promise<readonly StoredHandle[]> {
    return this.intake.enqueueMany(requests);
  }

  tryEnqueue(): never {
    const why =
      'it needs an answer at once, and storing takes a moment. Use enqueue(), with a signal if it must not wait for room';
    throw new NotSupportedError(this.session.storage.name, 'tryEnqueue', why);
  }

  dequeue(signal: AbortSignal | undefined): Promise<DequeuedTask> {
    return this.runs.dequeue(signal);
  }

  async pause(): Promise<void> {
    this.onPaused(true);
    await this.session.setPaused(this.name, true);
  }

  async resume(): Promise<void> {
    await this.session.setPaused(this.name, false);
    this.onPaused(false);
  }

  whenIdle(): Promise<void> {
    this.session.watch();
    const idle = this.becomingIdle.wait();
    this.checkIdle();
    return idle;
  }

  async find(id: string): Promise<StoredHandle | undefined> {
    const details = await this.details(id);
    return details && new StoredHandle(this, id, details.name);
  }

  details(id: string): Promise<TaskDetails | undefined> {
    return this.session.storage.details(this.name, id);
  }

  async search(query: TaskQuery): Promise<TaskPage> {
    const { tasks, next } = await this.session.storage.search(this.name, resolveTaskQuery(query));
    return { tasks, next: next === undefined ? undefined : toCursor(next) };
  }

  counts(): Promise<TaskCounts> {
    return this.session.storage.counts(this.name);
  }

  async retry(filter: TaskFilter): Promise<number> {
    const { storage } = this.session;
    const tasks = await storage.retry(this.name, resolveTaskFilter(filter), this.now());
    for (const { id, name } of tasks)
      this.dependencies.events.emit('task.retried', { queue: this.name, taskId: id, name });
    this.known.waiting += tasks.length;
    this.runs.claimSoon();
    return tasks.length;
  }

  async cancel(filter: TaskFilter, reason: unknown): Promise<number> {
    const { storage } = this.session;
    const error = toErrorRecord(new TaskCancelledError('', this.name, reason));
    const { cancelled, requested } = await storage.cancel(
      this.name,
      resolveTaskFilter(filter),
      error,
      this.now(),
    );
    for (const { id, name } of cancelled)
      this.dependencies.events.emit('task.cancelled', { queue: this.name, taskId: id, name, reason });
    for (const { id } of requested) this.runs.cancel(id, reason);
    if (cancelled.length > 0) this.known.recount(); // they waited, or were held
    this.afterChange(cancelled.map(({ id }) => id));
    return cancelled.length + requested.length;
  }

  async remove(filter: TaskFilter): Promise<number> {
    return this.session.storage.remove(this.name, resolveTaskFilter(filter));
  }

  open(): void {
    if (this.isHeldBack) this.dependencies.events.emit('queue.paused', { queue: this.name }); // since before this start
    const { storage } = this.session;
    storage
      .unpark(this.name, this.dependencies.handlers.names)
      .then((parked) => this.runs.tellParked(parked))
      .catch((error: unknown) => this.session.fail('release parked tasks', error));
    this.runs.open();
    this.known.recount();
  }

  closeToOutsiders(): void {
    this.isClosedToOutsiders = true;
    this.runs.stopClaiming();
    this.becomingCalm.release();
  }

  /** Never: what waits is kept for the next start. */
  willRunBefore(): boolean {
    return false;
  }

  whenCalm(): Promise<void> {
    return this.becomingCalm.wait();
  }

  whenQuiet(): Promise<void> {
    return this.runs.whenQuiet();
  }

  close(): LeftWork {
    this.closeToOutsiders();
    this.isFinallyClosed = true;
    return { waiting: [], retrying: [], aborted: this.runs.close() };
  }

  giveUpRunning(): Promise<void> {
    return this.runs.giveUp();
  }

  /** Releases everybody who waits: the session closes. */
  dispose(): void {
    this.intake.close();
    this.results.rejectAll();
  }

  onOutsideChange(): void {
    this.runs.claimSoon();
    this.onOutsideEnds();
  }

  onOutsideEnds(): void {
    this.intake.roomMayBeFree();
    void this.results.lookAtAll().catch((error: unknown) => this.session.fail('look up results', error));
    this.known.recountSoon();
    this.checkIdle();
  }

  onPaused(isPaused: boolean): void {
    if (this.isHeldBack === isPaused) return;
    this.isHeldBack = isPaused;
    this.dependencies.events.emit(isPaused ? 'queue.paused' : 'queue.resumed', { queue: this.name });
    this.runs.setPaused(isPaused);
  }

  onCancellation({ id, error }: Heartbeat['cancellations'][number]): void {
    this.runs.cancel(id, error.cause?.message);
  }

  onRecovered(tasks: RecoveryResult['tasks']): void {
    const labels = tasks.map(({ id, name }) => ({ taskId: id, name }));
    this.dependencies.events.emit('queue.recovered', { queue: this.name, tasks: labels });
    this.afterChange(tasks.map(({ id }) => id));
    this.runs.claimSoon();
  }

  onSuperseded(): void {
    this.runs.supersede();
  }

  flushNotes(): void {
    this.runs.flushNotes();
    this.known.recountIfDue();
  }

  async tidyUp(isTurnToPrune: boolean): Promise<void> {
    this.runs.sweepSoon(); // what has expired, or is free of its key, shows in a claim
    if (isTurnToPrune) await this.prune();
    this.known.recountSoon();
  }

  resultOf(id: string): Promise<unknown> {
    this.session.watch();
    return this.results.of(id);
  }

  async cancelOne(id: string, reason: unknown): Promise<boolean> {
    return (await this.cancel({ ids: [id] }, reason)) > 0;
  }

  async stateOf(id: string): Promise<TaskState> {
    const state = await this.session.storage.state(this.name, id);
    if (state === undefined) throw new UnknownTaskError(this.name, id);
    return state;
  }

  private onClaimed(count: number): void {
    this.known.waiting -= count;
    if (this.known.waiting < 0) this.known.recountSoon(); // they have fallen due, or were enqueued elsewhere
    this.intake.roomMayBeFree(count);
  }

  private onAccepted({ dueAtMs, expiresAtMs }: NewTask): void {
    if (dueAtMs === undefined) {
      this.known.waiting += 1;
      this.runs.claimSoon();
    } else {
      this.known.later += 1;
      this.runs.wakeAt(dueAtMs);
    }
    if (expiresAtMs !== undefined) this.runs.wakeAt(expiresAtMs);
  }

  private onSettled(task: LocalTask, outcome: SettledOutcome | undefined): void {
    if (outcome !== undefined) this.results.settle(task.id, outcome);
    else this.known.recount(); // it is held, or in line again
    this.checkIdle();
  }

  /** These tasks have come to an end, or elsewhere, without having run here. */
  private afterChange(ids: readonly string[]): void {
    this.results.lookAt(ids).catch((error: unknown) => this.session.fail('look up results', error));
    this.intake.roomMayBeFree(ids.length);
    this.checkIdle();
  }

  /** Whoever waits for the queue to be idle is released when it is: looked up, for others may have enqueued. */
  private checkIdle(): void {
    if (this.becomingIdle.isEmpty || this.isCheckingIdle || !this.runs.isQuiet) return;
    void this.lookWhetherIdle();
  }

  private async lookWhetherIdle(): Promise<void> {
    this.isCheckingIdle = true;
    try {
      const { waiting, active, retrying } = await this.counts();
      if (waiting + active + retrying === 0 && this.runs.isQuiet) this.becomingIdle.release();
    } catch (error) {
      this.session.fail('count tasks', error);
    } finally {
      this.isCheckingIdle = false;
    }
  }

  private async prune(): Promise<void> {
    const { storage } = this.session;
    const now = this.now();
    for (const state of endStates) {
      const { ageMs, count } = this.options.retention[state];
      const endedBeforeMs = ageMs === Number.POSITIVE_INFINITY ? undefined : Math.round(now - ageMs);
      const rule = { queue: this.name, state, endedBeforeMs, count };
      while (!this.session.closed && (await storage.prune(rule, now)));
    }
  }

  private now(): number {
    return Math.floor(this.dependencies.clock.now());
  }
}
