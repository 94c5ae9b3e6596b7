import { TaskUnfinishedError } from '../errors.js';
import type { TaskLabel } from '../events/events.js';
import type { EngineDependencies } from './background-engine.js';
import { createDeferred } from './deferred.js';
import type { LocalTask, TaskOwner } from './local-task.js';
import type { ResolvedQueueOptions } from './queue.options.js';
import type { SettledOutcome } from './stored-results.js';
import { settlementOf, type StoredRun } from './stored-settlement.js';
import { toLocalTask } from './stored-task.js';
import type { Postponement } from './task-execution.js';
import type { TaskLog } from './task-log.js';
import { TakenTask } from './taken-task.js';
import type { ClaimedTask, Settlement } from './task-storage.js';
import type { DequeuedTask } from './task.js';
import { TaskWorkers } from './task-workers.js';
import { WaitList } from './wait-list.js';

/** What became of one attempt of a delivered task. */
export interface DeliveredOutcome {
  /** The state that it is to be in, with everything there is to say of the attempt. */
  readonly settlement: Settlement;
  /** What those who wait for the result are told; `undefined` when this was not its end. */
  readonly outcome: SettledOutcome | undefined;
}

/** A delivered task in the hands of somebody who runs it when it suits them. */
export interface TakenDelivery {
  readonly task: DequeuedTask;
  /** As {@link DeliveredRuns.run} gives it. One that nobody runs ends with the application: it is given back. */
  readonly ended: Promise<DeliveredOutcome>;
  /** To be called when the outcome is stored, for which whoever runs it waits. */
  settled(): void;
}

interface Delivery {
  readonly run: StoredRun;
  end(outcome: DeliveredOutcome): void;
}

/**
 * Runs tasks that a queue of another library delivers to this process: for engines that stand on one. Such a library
 * decides which task comes when, and how many at once; what is a task's own is done here: scope, context, timeout,
 * validation, the decision about a retry, cancellation, events.
 */
export class DeliveredRuns implements TaskOwner {
  readonly madeAtMs: number;
  private readonly workers: TaskWorkers;
  private readonly deliveries = new Map<LocalTask, Delivery>();
  private readonly becomingQuiet = new WaitList();

  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly dependencies: EngineDependencies,
  ) {
    this.madeAtMs = dependencies.clock.now();
    this.workers = new TaskWorkers(options, dependencies, {
      takesTasksBack: () => true,
      keepsInterrupted: true,
      onEnded: (task, postponed) => this.onEnded(task, postponed),
      onPlaceFree: () => {},
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

  /**
   * Runs one attempt. Resolves when it has ended and its scope is disposed, whatever came of it; never rejects. One that the
   * end of the application interrupts has the state `'waiting'`: it is to be given back, and is no attempt.
   *
   * @param onBegun is given the log of the task, which fills while it runs
   */
  run(claimed: ClaimedTask, onBegun: (log: TaskLog) => void = () => {}): Promise<DeliveredOutcome> {
    const { task, ended } = this.accept(claimed, onBegun);
    void this.workers.runBeside(task);
    return ended;
  }

  /** The same for whoever has dequeued it: it runs when they say so. */
  take(claimed: ClaimedTask, onBegun: (log: TaskLog) => void = () => {}): TakenDelivery {
    const { task, ended } = this.accept(claimed, onBegun);
    const stored = createDeferred<void>();
    const run = async (taken: LocalTask): Promise<void> => {
      if (taken.isWaiting && this.deliveries.has(taken)) await this.workers.runBeside(taken);
      await stored.promise;
    };
    return { task: new TakenTask(task, run), ended, settled: () => stored.resolve() };
  }

  /** Whether a task runs here. */
  has(id: string): boolean {
    return this.find(id) !== undefined;
  }

  /** Cancels a task that runs here. @returns whether there was one */
  async cancel(id: string, reason: unknown): Promise<boolean> {
    return (await this.find(id)?.cancel(reason)) ?? false;
  }

  /** Aborts a task that runs here for a reason that is not its own: others have it, for one. */
  abort(id: string, reason: unknown): void {
    this.find(id)?.abort(reason);
  }

  /** Aborts what runs, because the application stops, and gives back what has not begun. Says what was aborted. */
  abortAll(): readonly TaskLabel[] {
    for (const [task, delivery] of this.deliveries) {
      if (!task.isWaiting || this.workers.has(task)) continue;
      this.end(task, delivery, interruption(this.name, delivery.run, this.nowMs(), false));
      task.settle('cancelled', new TaskUnfinishedError(task.id, this.name)); // it must not begin any more
    }
    return this.workers.abortAll();
  }

  /** Waits no more for what was aborted and still runs: it is given back. */
  giveUpAll(): void {
    const left = [...this.deliveries];
    this.workers.giveUpAll();
    for (const [task, delivery] of left)
      this.end(task, delivery, interruption(this.name, delivery.run, this.nowMs(), true));
  }

  /** Resolves when nothing runs here. */
  async whenQuiet(): Promise<void> {
    while (this.deliveries.size > 0) await this.becomingQuiet.wait();
  }

  onBegun(): void {}

  onCancelled(task: LocalTask, wasActive: boolean, reason: unknown): void {
    const { id: taskId, name } = task;
    this.dependencies.events.emit('task.cancelled', { taskId, name, queue: this.name, reason });
    if (!wasActive && !this.workers.has(task)) this.onEnded(task, undefined); // taken, and not begun
  }

  private accept(
    claimed: ClaimedTask,
    onBegun: (log: TaskLog) => void,
  ): { readonly task: LocalTask; readonly ended: Promise<DeliveredOutcome> } {
    const task = toLocalTask(this, claimed, this.dependencies.handlers);
    const startedAtMs = this.nowMs();
    const run: StoredRun = {
      claimed,
      startedAtMs,
      linesWritten: 0,
      progress: undefined,
      isTaken: true,
      isSuperseded: false,
    };
    const ended = new Promise<DeliveredOutcome>((resolve) => {
      this.deliveries.set(task, { run, end: resolve });
    });
    onBegun(task.log);
    return { task, ended };
  }

  private onEnded(task: LocalTask, postponed: Postponement | undefined): void {
    const delivery = this.deliveries.get(task);
    if (delivery === undefined) return; // given up before
    const { run } = delivery;
    const { settlement, outcome } = settlementOf({
      task,
      run,
      postponed,
      queue: this.options,
      nowMs: this.nowMs(),
    });
    if (settlement.state === 'completed' && outcome !== undefined && 'error' in outcome) {
      const { id: taskId, name } = task;
      this.dependencies.events.emit('task.resultLost', {
        taskId,
        name,
        queue: this.name,
        error: outcome.error,
      });
    }
    this.end(task, delivery, { settlement, outcome });
  }

  private end(task: LocalTask, { end }: Delivery, outcome: DeliveredOutcome): void {
    this.deliveries.delete(task);
    end(outcome);
    if (this.deliveries.size === 0) this.becomingQuiet.release();
  }

  private find(id: string): LocalTask | undefined {
    for (const task of this.deliveries.keys()) if (task.id === id) return task;
    return undefined;
  }

  private nowMs(): number {
    return Math.floor(this.dependencies.clock.now());
  }
}

function interruption(
  queue: string,
  { claimed, startedAtMs }: StoredRun,
  atMs: number,
  hasBegun: boolean,
): DeliveredOutcome {
  const { id, claim, attempt, concurrencyKey } = claimed;
  const settlement: Settlement = {
    queue,
    id,
    claim,
    atMs,
    state: 'waiting',
    attempt: hasBegun
      ? { attempt, outcome: 'interrupted', error: undefined, startedAtMs, endedAtMs: atMs }
      : undefined,
    concurrencyKey,
    isKept: true,
  };
  return { settlement, outcome: undefined };
}
