import { AsyncResource } from 'node:async_hooks';
import type { Clock, ClockTimer } from 'nestjs-nightshift/channels';
import type { BackgroundEvents } from '../events/background-events.js';
import { DeadWorkers } from './dead-workers.js';
import { processIdentity } from './process-identity.js';
import type { Heartbeat, RecoveryResult, TasksLook, TaskStorage, WorkerId } from './task-storage.js';
import type { ResolvedStoreOptions } from './store.options.js';

/** One queue of a store, as the session sees it. */
export interface SessionQueue {
  readonly name: string;
  /** Others have changed something: there may be more to claim. */
  onOutsideChange(): void;
  /** Tasks have ended elsewhere, and nothing else has changed. */
  onOutsideEnds(): void;
  onPaused(isPaused: boolean): void;
  /** Somebody wants this running task cancelled. */
  onCancellation(cancellation: Heartbeat['cancellations'][number]): void;
  /** Tasks of the queue came back from a dead process. */
  onRecovered(tasks: RecoveryResult['tasks']): void;
  /** What runs here has been given to others. */
  onSuperseded(): void;
  /** What running tasks have said is to be written down. */
  flushNotes(): void;
  /** Once in a while: what has expired is told, and, when it is this process's turn to prune, what has ended long ago goes. */
  tidyUp(isTurnToPrune: boolean): Promise<void>;
}

export interface SessionDependencies {
  readonly clock: Clock;
  readonly events: BackgroundEvents;
}

/**
 * What one process does at one store, for all its queues together: says that it is alive, notices who is not, and looks
 * several times a second whether others have changed anything.
 */
export class StoreSession {
  private readonly queues: SessionQueue[] = [];
  private readonly deadWorkers: DeadWorkers;
  private readonly beatEveryMs: number;
  private readonly timers = new Map<'beat' | 'look', ClockTimer>();
  /** Of the async context in which it was made: timers must not hold on to that of a request. */
  private readonly resource = new AsyncResource('nightshift');
  private readonly releaseListeners = new Set<() => void>();
  private readonly told = new WeakSet<Error>();
  private registering: Promise<WorkerId> | undefined;
  private pausedQueues: readonly string[] = [];
  private version: number | undefined;
  private releases: number | undefined;
  /** How often this process has begun, or done, pausing or resuming a queue; and how many times that is under way. */
  private pauseChanges = 0;
  private pausesUnderWay = 0;
  private beats = 0;
  private isWatching = false;
  private isClosed = false;
  private tidying: Promise<unknown> = Promise.resolve();

  constructor(
    readonly storage: TaskStorage,
    private readonly options: ResolvedStoreOptions,
    private readonly dependencies: SessionDependencies,
  ) {
    this.beatEveryMs = options.leaseMs / 4;
    this.deadWorkers = new DeadWorkers(dependencies.clock, options.leaseMs, this.beatEveryMs);
  }

  get closed(): boolean {
    return this.isClosed;
  }

  /** The first look: what others have left. */
  async open(): Promise<void> {
    await this.storage.open((during, error) => this.fail(during, error));
    const look = await this.storage.look(undefined, undefined);
    this.pausedQueues = look !== undefined && 'pausedQueues' in look ? look.pausedQueues : [];
  }

  /** @returns whether the queue is paused, since before this process began */
  add(queue: SessionQueue): boolean {
    this.queues.push(queue);
    return this.pausedQueues.includes(queue.name);
  }

  /** The number under which this process runs tasks. From the first time it is asked for, the process gives signs of life. */
  worker(): Promise<WorkerId> {
    if (this.registering === undefined) {
      const { storage, dependencies } = this;
      this.registering = storage.register(processIdentity(), Math.round(dependencies.clock.now()));
      this.registering.then(
        () => this.beginBeating(),
        () => (this.registering = undefined),
      );
    }
    return this.registering;
  }

  /** Looks from now on whether others have changed anything. */
  watch(): void {
    if (this.isWatching || this.isClosed) return;
    this.isWatching = true;
    this.arm('look', this.options.pollIntervalMs, () => this.look());
  }

  /** Pauses or resumes a queue for everybody. What is heard meanwhile of its having been so before is not believed. */
  async setPaused(queue: string, isPaused: boolean): Promise<void> {
    this.pauseChanges += 1;
    this.pausesUnderWay += 1;
    try {
      await this.storage.setPaused(queue, isPaused);
    } finally {
      this.pauseChanges += 1;
      this.pausesUnderWay -= 1;
    }
  }

  /** Calls `listener` when the occurrences of a dead process came back. @returns ends that */
  onReleased(listener: () => void): () => void {
    this.releaseListeners.add(listener);
    this.watch();
    return () => this.releaseListeners.delete(listener);
  }

  /** Something that nobody waits for has failed. It is tried again when it is due again. */
  fail(during: string, error: unknown): void {
    if (this.isClosed) return;
    // A driver rejects every call with one and the same error as long as the same outage lasts, however often it is tried.
    if (error instanceof Error) {
      if (this.told.has(error)) return;
      this.told.add(error);
    }
    this.dependencies.events.emit('engine.failed', { engine: this.storage.name, during, error });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const timer of this.timers.values()) timer.cancel();
    await this.tidying;
    const { registering, storage, dependencies } = this;
    this.registering = undefined;
    if (registering === undefined) return;
    const worker = await registering.catch(() => undefined);
    if (worker !== undefined) await storage.unregister(worker, Math.round(dependencies.clock.now()));
  }

  private beginBeating(): void {
    this.watch();
    if (!this.timers.has('beat')) this.resource.runInAsyncScope(() => void this.beat());
  }

  private async beat(): Promise<void> {
    this.arm('beat', this.beatEveryMs, () => void this.beat());
    try {
      const registering = this.worker();
      const worker = await registering;
      const { pauseChanges } = this;
      const { isKnown, workers, pausedQueues, cancellations } = await this.storage.beat(worker);
      if (this.isClosed) return;
      if (!isKnown) return this.startAnew(registering);
      await this.recover(this.deadWorkers.among(workers, worker));
      this.hear(pausedQueues, pauseChanges, cancellations);
      // Not waited for here: the next sign of life must not come late because there is much to tidy up.
      this.tidying = this.tidyUp(this.isTurnToPrune(workers, worker));
    } catch (error) {
      this.fail('heartbeat', error);
    }
  }

  /** Others took this process for dead, and have what it was running. */
  private startAnew(registering: Promise<WorkerId>): void {
    if (this.registering !== registering) return; // an answer that came late: it has begun anew already
    for (const queue of this.queues) queue.onSuperseded();
    this.registering = undefined;
    this.worker().then(
      () => this.queues.forEach((queue) => queue.onOutsideChange()),
      (error: unknown) => this.fail('register', error),
    );
  }

  private async recover(dead: readonly WorkerId[]): Promise<void> {
    if (dead.length === 0) return;
    const { clock } = this.dependencies;
    const now = Math.round(clock.now());
    const { tasks, occurrences } = await this.storage.recover(dead, now, this.options.maxInterruptions);
    for (const queue of this.queues) {
      const ofQueue = tasks.filter((task) => task.queue === queue.name);
      if (ofQueue.length > 0) queue.onRecovered(ofQueue);
    }
    if (occurrences > 0) this.tellReleased();
  }

  private tellReleased(): void {
    for (const listener of this.releaseListeners) listener();
  }

  /** By turns, so that the store is pruned as often with a hundred workers as with one. */
  private isTurnToPrune(workers: Heartbeat['workers'], own: WorkerId): boolean {
    this.beats += 1;
    const place = workers.filter(({ worker }) => worker < own).length;
    return (this.beats + place) % Math.max(1, workers.length) === 0;
  }

  private async tidyUp(isTurnToPrune: boolean): Promise<void> {
    for (const queue of this.queues) {
      if (this.isClosed) return;
      await queue.tidyUp(isTurnToPrune).catch((error: unknown) => this.fail('tidy up', error));
    }
  }

  private look(): void {
    for (const queue of this.queues) queue.flushNotes();
    this.lookAtChanges()
      .catch((error: unknown) => this.fail('look for changes', error))
      .finally(() => this.arm('look', this.options.pollIntervalMs, () => this.look()));
  }

  private async lookAtChanges(): Promise<void> {
    const worker = await this.registering;
    const { pauseChanges } = this;
    const look = await this.storage.look(worker, this.version);
    if (look === undefined || this.isClosed) return;
    this.version = look.version;
    if ('only' in look) return this.hearOfTasks(look.only);
    if (look.releases !== (this.releases ?? look.releases)) this.tellReleased();
    this.releases = look.releases;
    this.hear(look.pausedQueues, pauseChanges, look.cancellations);
    for (const queue of this.queues) queue.onOutsideChange();
  }

  private hearOfTasks(only: TasksLook['only']): void {
    for (const queue of this.queues)
      if (only === 'ends') queue.onOutsideEnds();
      else queue.onOutsideChange();
  }

  /** @param pauseChanges as it was when this was asked for */
  private hear(
    pausedQueues: readonly string[],
    pauseChanges: number,
    cancellations: Heartbeat['cancellations'],
  ): void {
    const isStale = pauseChanges !== this.pauseChanges || this.pausesUnderWay > 0;
    if (isStale) this.version = undefined; // the next look tells all
    for (const queue of this.queues) {
      if (!isStale) queue.onPaused(pausedQueues.includes(queue.name));
      for (const cancellation of cancellations)
        if (cancellation.queue === queue.name) queue.onCancellation(cancellation);
    }
  }

  private arm(timer: 'beat' | 'look', delayMs: number, run: () => void): void {
    if (this.isClosed) return;
    this.timers.get(timer)?.cancel();
    const armed = this.resource.runInAsyncScope(() => this.dependencies.clock.schedule(delayMs, run));
    this.timers.set(timer, armed);
  }
}
