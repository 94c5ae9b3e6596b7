// Long because claiming and running are one: what ends makes the place for what is claimed next, in the same commit.
import { IllegalStateError, QueueClosedError, TaskSupersededError, TaskUnfinishedError } from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import type { EngineDependencies } from './background-engine.js';
import { DequeueLine } from './dequeue-line.js';
import type { LocalTask, TaskOwner } from './local-task.js';
import { NoteWriter } from './note-writer.js';
import { OutcomeWriter } from './outcome-writer.js';
import type { ResolvedQueueOptions } from './queue.options.js';
import type { StoreSession } from './store-session.js';
import type { SettledOutcome } from './stored-results.js';
import { settlementOf, withoutDetails, type StoredRun } from './stored-settlement.js';
import { toLocalTask } from './stored-task.js';
import { TakenTask } from './taken-task.js';
import type { Postponement } from './task-execution.js';
import type { ClaimResult, ClaimedTask, Settlement } from './task-storage.js';
import { TaskWorkers } from './task-workers.js';
import type { DequeuedTask } from './task.js';
import { WaitList } from './wait-list.js';
import { WakeTimer } from './wake-timer.js';

/** How many tasks one claim takes at most. */
const claimedAtOnce = 500;
/** How long to wait after a claim has failed, in milliseconds: doubled each time, up to the last. */
const pauses = { first: 100, last: 5_000 } as const;

export interface StoredRunsListener {
  onClaimed(count: number): void;
  /** The end of a task is stored; `outcome` is `undefined` when it is not its last. */
  onSettled(task: LocalTask, outcome: SettledOutcome | undefined): void;
  /** These have come to an end without running here. */
  onEndedElsewhere(ids: readonly string[]): void;
}

/** The tasks of a stored queue that run in this process: from the claim to the stored outcome. */
export class StoredRuns implements TaskOwner {
  readonly madeAtMs: number;
  isOpen = false;
  private readonly workers: TaskWorkers;
  private readonly running = new Map<LocalTask, StoredRun>();
  private readonly dequeuers = new DequeueLine();
  private readonly becomingQuiet = new WaitList();
  private readonly parked = new Set<string>();
  private readonly outcomes: OutcomeWriter;
  /** Whose outcome is being stored, or has been and is not told yet: a store that knows them no more says nothing of them. */
  private readonly settling = new Set<string>();
  private readonly notes: NoteWriter;
  private readonly waking: WakeTimer;
  private isPaused = false;
  private isClaiming = false;
  private claimsAgain = false;
  private isSweepDue = false;
  private isGivenUp = false;
  private failures = 0;

  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly dependencies: EngineDependencies,
    private readonly session: StoreSession,
    private readonly listener: StoredRunsListener,
  ) {
    const { clock } = dependencies;
    this.madeAtMs = clock.now();
    this.outcomes = new OutcomeWriter(session, clock);
    this.notes = new NoteWriter(options.name, session);
    this.waking = new WakeTimer(clock, () => this.sweepSoon());
    this.workers = new TaskWorkers(options, dependencies, {
      takesTasksBack: () => true,
      keepsInterrupted: true,
      onEnded: (task, postponed) => this.onEnded(task, postponed),
      onPlaceFree: () => this.claimSoon(),
    });
  }

  get name(): string {
    return this.options.name;
  }

  get retryOptions(): ResolvedQueueOptions['retry'] {
    return this.options.retry;
  }

  get active(): number {
    return this.workers.active;
  }

  get finished(): number {
    return this.workers.finished;
  }

  get labels(): readonly TaskLabel[] {
    return this.workers.labels;
  }

  /** Whether nothing runs here, and every outcome is stored. */
  get isQuiet(): boolean {
    return this.running.size === 0 && this.outcomes.isIdle;
  }

  /** Whether, besides, no claim is under way that may still bring something. */
  private get isAtRest(): boolean {
    return this.isQuiet && !this.isClaiming;
  }

  /** Whether it runs here, or has and its outcome is not told yet. */
  has(id: string): boolean {
    return this.find(id) !== undefined || this.settling.has(id);
  }

  open(): void {
    this.isOpen = true;
    this.session.watch();
    this.claimSoon();
  }

  stopClaiming(): void {
    this.isOpen = false;
    this.waking.cancel();
    this.dequeuers.refuseAll(new QueueClosedError(this.name));
  }

  setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
    if (!isPaused) this.claimSoon();
  }

  /** Takes as many tasks as there are places, in the next commit; again and again, while there are both. */
  claimSoon(): void {
    if (this.isClaiming) {
      this.claimsAgain = true;
      return;
    }
    if (!this.isOpen || (this.places() === 0 && !this.isSweepDue)) return;
    this.isClaiming = true;
    this.claimsAgain = false;
    this.isSweepDue = false;
    this.claim().then(
      (result) => this.onClaimed(result),
      (error: unknown) => this.onClaimFailed(error),
    );
  }

  /** The same, also when there is no place: what has fallen due or has expired shows in a claim. */
  sweepSoon(): void {
    this.isSweepDue = true;
    this.claimSoon();
  }

  dequeue(signal: AbortSignal | undefined): Promise<DequeuedTask> {
    const { concurrency } = this.options;
    if (concurrency > 0) {
      const state = `run by its own workers (concurrency ${concurrency})`;
      return Promise.reject(new IllegalStateError(`queue '${this.name}'`, state, 'dequeue()'));
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (!this.isOpen) return Promise.reject(new QueueClosedError(this.name));
    const dequeued = this.dequeuers.wait(signal);
    this.claimSoon();
    return dequeued;
  }

  /** Cancels a task that runs here; nothing happens when it does not. */
  cancel(id: string, reason: unknown): void {
    void this.find(id)?.cancel(reason);
  }

  /** Others have what runs here. */
  supersede(): void {
    for (const [task, run] of this.running) {
      run.isSuperseded = true;
      task.abort(new TaskSupersededError(task.id, this.name));
    }
  }

  /** Aborts what runs, and says what that is. */
  close(): readonly TaskLabel[] {
    this.stopClaiming();
    for (const [task, run] of this.running) {
      if (!task.isWaiting) continue;
      this.giveBack(task, run);
      task.settle('cancelled', new TaskUnfinishedError(task.id, this.name)); // it must not begin any more
    }
    return this.workers.abortAll();
  }

  /** Waits no more for what still runs: the store has it back, to run again. */
  async giveUp(): Promise<void> {
    this.isGivenUp = true;
    this.outcomes.giveUp();
    const left = [...this.running];
    this.workers.giveUpAll();
    for (const [task, run] of left) this.giveBack(task, run);
    this.becomingQuiet.release();
    await Promise.resolve();
  }

  /** Resolves when nothing runs here, and every outcome is stored. */
  async whenQuiet(): Promise<void> {
    while (!this.isAtRest && !this.isGivenUp) await this.becomingQuiet.wait();
  }

  /** Writes down what running tasks have said since the last time. */
  flushNotes(): void {
    for (const [task, run] of this.running) this.notes.flush(task, run);
  }

  /** See {@link TaskWorkers.waitAsProducer}. */
  waitAsProducer<T>(signal: AbortSignal | undefined, wait: () => Promise<T>): Promise<T> {
    return this.workers.waitAsProducer(signal, wait);
  }

  /** A store knows by the claim that it has begun. */
  onBegun(): void {}

  onCancelled(task: LocalTask, wasActive: boolean, reason: unknown): void {
    const { id: taskId, name } = task;
    this.dependencies.events.emit('task.cancelled', { taskId, name, queue: this.name, reason });
    if (wasActive) this.workers.freePlaceAfterGrace(task);
    else if (this.running.get(task)?.isTaken) this.onEnded(task, undefined);
  }

  private places(): number {
    const { concurrency } = this.options;
    const places = concurrency > 0 ? this.workers.freePlaces : this.dequeuers.length;
    return this.isOpen && !this.isPaused ? Math.min(places, claimedAtOnce) : 0;
  }

  private async claim(): Promise<ClaimResult> {
    const worker = await this.session.worker();
    return this.session.storage.claim({
      queue: this.name,
      worker,
      places: () => this.places(),
      definitions: this.dependencies.handlers.names,
      nowMs: Math.floor(this.dependencies.clock.now()),
      rateLimit: this.options.rateLimit,
    });
  }

  private onClaimed({ tasks, expired, parked, nextAtMs, mayHaveMore }: ClaimResult): void {
    this.isClaiming = false;
    this.failures = 0;
    this.workers.noteTurn(); // an answer of the store comes in a turn of its own
    for (const claimed of tasks) this.begin(claimed);
    for (const { id, name, expiresInMs } of expired)
      this.dependencies.events.emit('task.expired', { taskId: id, name, queue: this.name, expiresInMs });
    if (expired.length > 0) this.listener.onEndedElsewhere(expired.map(({ id }) => id));
    this.tellParked(Object.keys(parked));
    if (tasks.length + expired.length > 0) this.listener.onClaimed(tasks.length + expired.length);
    if (nextAtMs !== undefined) this.wakeAt(nextAtMs);
    if (this.claimsAgain || mayHaveMore) this.claimSoon();
    this.noteQuiet();
  }

  private onClaimFailed(error: unknown): void {
    this.isClaiming = false;
    this.noteQuiet();
    if (!this.isOpen) return;
    this.session.fail('claim tasks', error);
    this.waking.wakeAfter(this.nextPauseMs());
  }

  private begin(claimed: ClaimedTask): void {
    const task = toLocalTask(this, claimed, this.dependencies.handlers);
    const isTaken = this.options.concurrency === 0;
    const startedAtMs = Math.floor(this.dependencies.clock.now());
    const run: StoredRun = {
      claimed,
      startedAtMs,
      linesWritten: 0,
      progress: undefined,
      isTaken,
      isSuperseded: false,
    };
    this.running.set(task, run);
    // It was claimed, and meanwhile the queue was closed or paused, or whoever waited has gone.
    if (!this.isOpen || this.isPaused || (isTaken && this.dequeuers.isEmpty)) this.giveBack(task, run);
    else if (!isTaken) this.workers.startSoon(task);
    else this.dequeuers.serve(new TakenTask(task, (taken) => this.runTaken(taken)));
  }

  private async runTaken(task: LocalTask): Promise<void> {
    if (task.isWaiting && this.running.has(task)) await this.workers.runBeside(task);
  }

  private onEnded(task: LocalTask, postponed: Postponement | undefined): void {
    const run = this.running.get(task);
    if (run === undefined) return; // given up before
    this.running.delete(task);
    this.notes.flush(task, run);
    const { id: taskId, name } = task;
    if (run.isSuperseded) {
      this.dependencies.events.emit('task.superseded', { taskId, name, queue: this.name });
      return this.noteQuiet();
    }
    const { settlement, outcome } = settlementOf({
      task,
      run,
      postponed,
      queue: this.options,
      nowMs: Math.floor(this.dependencies.clock.now()),
    });
    if (settlement.state === 'completed' && outcome !== undefined && 'error' in outcome)
      this.tellLost(task, outcome.error);
    void this.settle(task, settlement, outcome);
  }

  private giveBack(task: LocalTask, run: StoredRun): void {
    if (!this.running.delete(task) || run.isSuperseded) return;
    const { claimed, startedAtMs } = run;
    const { id, claim, attempt, concurrencyKey } = claimed;
    const atMs = Math.floor(this.dependencies.clock.now());
    // One that nobody has begun was not interrupted.
    const interrupted = task.isWaiting
      ? undefined
      : { attempt, outcome: 'interrupted' as const, error: undefined, startedAtMs, endedAtMs: atMs };
    const settlement: Settlement = {
      queue: this.name,
      id,
      claim,
      atMs,
      state: 'waiting',
      attempt: interrupted,
      concurrencyKey,
      isKept: true,
    };
    void this.settle(task, settlement, undefined);
  }

  /** Until the store has it: a place is free meanwhile, and only the end of the process gives up. */
  private async settle(
    task: LocalTask,
    settlement: Settlement,
    outcome: SettledOutcome | undefined,
  ): Promise<void> {
    const { id: taskId, name } = task;
    this.settling.add(taskId);
    let known = outcome;
    const isTaken = await this.outcomes.write(settlement, (refused) => {
      const { settlement: bare, lost } = withoutDetails(settlement, refused);
      if (lost === undefined) this.session.fail(`store the outcome of task ${taskId}`, refused);
      else {
        known = { error: lost };
        this.tellLost(task, lost);
      }
      return bare;
    });
    if (isTaken === false)
      this.dependencies.events.emit('task.superseded', { taskId, name, queue: this.name });
    if (settlement.state === 'retrying') this.wakeAt(settlement.dueAtMs!);
    if (settlement.concurrencyKey !== undefined) this.claimSoon();
    // What did not take effect is no outcome: whoever waits for that hears what comes of the task elsewhere.
    this.listener.onSettled(task, isTaken === true ? known : undefined);
    this.settling.delete(taskId);
    this.noteQuiet();
  }

  private tellLost({ id: taskId, name }: LocalTask, error: unknown): void {
    this.dependencies.events.emit('task.resultLost', { taskId, name, queue: this.name, error });
  }

  /** Of each definition once. */
  tellParked(definitions: readonly string[]): void {
    const fresh = definitions.filter((definition) => !this.parked.has(definition));
    if (fresh.length === 0) return;
    for (const definition of fresh) this.parked.add(definition);
    this.dependencies.events.emit('queue.parked', { queue: this.name, definitions: fresh });
  }

  /** Something falls due or expires then. */
  wakeAt(atMs: number): void {
    if (this.isOpen) this.waking.wakeAt(atMs);
  }

  private nextPauseMs(): number {
    const { first, last } = pauses;
    const pauseMs = Math.min(first * 2 ** this.failures, last);
    this.failures += 1;
    return pauseMs;
  }

  private noteQuiet(): void {
    if (this.isAtRest) this.becomingQuiet.release();
  }

  private find(id: string): LocalTask | undefined {
    for (const task of this.running.keys()) if (task.id === id) return task;
    return undefined;
  }
}
