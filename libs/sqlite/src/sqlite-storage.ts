import type {
  CancelResult,
  ClaimRequest,
  ClaimResult,
  DroppedTask,
  ErrorRecord,
  Heartbeat,
  InsertOutcome,
  Look,
  NewTask,
  QueueBound,
  RecoveryResult,
  ResolvedTaskFilter,
  ResolvedTaskQuery,
  RetentionRule,
  Settlement,
  StoredPage,
  TaskCounts,
  TaskDetails,
  TaskEnds,
  TaskNotes,
  TaskState,
  TaskStorage,
  WorkerId,
} from 'nestjs-nightshift';
import { GroupCommit } from './group-commit.js';
import { SqliteClosedError } from './errors.js';
import { insertWithin } from './foreign-transaction.js';
import { openInlineRunner } from './inline-runner.js';
import type { StoreOptions } from './open-store.js';
import { openThreadRunner } from './thread-runner.js';
import type { StoreReads, StoreWrites } from './sqlite-store.js';

export interface SqliteStorageOptions extends StoreOptions {
  /** Whether the file is read and written in a thread of its own. */
  readonly isThreaded: boolean;
}

type Methods = StoreWrites & StoreReads;

/** Keeps tasks in a SQLite file. Each call is a row in the next commit: see `GroupCommit`. */
export class SqliteStorage implements TaskStorage {
  readonly name = 'sqlite';
  private commits: GroupCommit | undefined;

  constructor(private readonly options: SqliteStorageOptions) {}

  async open(): Promise<void> {
    const { isThreaded, ...options } = this.options;
    const runner = await (isThreaded ? openThreadRunner(options) : openInlineRunner(options));
    this.commits = new GroupCommit(runner, options.file, options.patienceMs);
  }

  async close(): Promise<void> {
    await this.commits?.close();
    this.commits = undefined;
  }

  insert(task: NewTask, bound: QueueBound): Promise<InsertOutcome> {
    return this.call('insert', task, bound);
  }

  // oxlint-disable-next-line require-await -- what is wrong with the transaction is a rejection, as with every other method
  async insertWithin(transaction: unknown, task: NewTask, bound: QueueBound): Promise<InsertOutcome> {
    return insertWithin(transaction, this.options.file, task, bound);
  }

  claim({ places, ...request }: ClaimRequest): Promise<ClaimResult> {
    return this.callLater('claim', () => [{ ...request, places: places() }]);
  }

  settle(settlement: Settlement): Promise<boolean> {
    return this.call('settle', settlement);
  }

  note(notes: TaskNotes): Promise<void> {
    return this.call('note', notes);
  }

  register(process: string, nowMs: number): Promise<WorkerId> {
    return this.call('register', process, nowMs);
  }

  beat(worker: WorkerId): Promise<Heartbeat> {
    return this.call('beat', worker);
  }

  recover(workers: readonly WorkerId[], nowMs: number, maxInterruptions: number): Promise<RecoveryResult> {
    return this.call('recover', workers, nowMs, maxInterruptions);
  }

  async unregister(worker: WorkerId, nowMs: number): Promise<void> {
    await this.call('recover', [worker], nowMs, Number.MAX_SAFE_INTEGER);
  }

  look(worker: WorkerId | undefined, version: number | undefined): Promise<Look | undefined> {
    return this.call('look', worker, version);
  }

  setPaused(queue: string, isPaused: boolean): Promise<void> {
    return this.call('setPaused', queue, isPaused);
  }

  unpark(queue: string, definitions: readonly string[]): Promise<readonly string[]> {
    return this.call('unpark', queue, definitions);
  }

  ends(queue: string, ids: readonly string[]): Promise<TaskEnds> {
    return this.call('ends', queue, ids);
  }

  state(queue: string, id: string): Promise<TaskState | undefined> {
    return this.call('state', queue, id);
  }

  details(queue: string, id: string): Promise<TaskDetails | undefined> {
    return this.call('details', queue, id);
  }

  search(queue: string, query: ResolvedTaskQuery): Promise<StoredPage> {
    return this.call('search', queue, query);
  }

  counts(queue: string): Promise<TaskCounts> {
    return this.call('counts', queue);
  }

  retry(queue: string, filter: ResolvedTaskFilter, nowMs: number): Promise<readonly DroppedTask[]> {
    return this.call('retry', queue, filter, nowMs);
  }

  cancel(
    queue: string,
    filter: ResolvedTaskFilter,
    error: ErrorRecord,
    nowMs: number,
  ): Promise<CancelResult> {
    return this.call('cancel', queue, filter, error, nowMs);
  }

  remove(queue: string, filter: ResolvedTaskFilter): Promise<number> {
    return this.call('remove', queue, filter);
  }

  prune(rule: RetentionRule, nowMs: number): Promise<boolean> {
    return this.call('prune', rule, nowMs);
  }

  latestOccurrence(service: string): Promise<number | undefined> {
    return this.call('latestOccurrence', service);
  }

  claimOccurrence(service: string, dueAtMs: number, worker: WorkerId): Promise<boolean> {
    return this.call('claimOccurrence', service, dueAtMs, worker);
  }

  completeOccurrence(service: string, dueAtMs: number, worker: WorkerId): Promise<void> {
    return this.call('completeOccurrence', service, dueAtMs, worker);
  }

  releaseOccurrence(service: string, dueAtMs: number, worker: WorkerId): Promise<void> {
    return this.call('releaseOccurrence', service, dueAtMs, worker);
  }

  private call<M extends keyof Methods>(
    method: M,
    ...values: Parameters<Methods[M]>
  ): Promise<ReturnType<Methods[M]>> {
    return this.callLater(method, () => values);
  }

  private callLater<M extends keyof Methods>(
    method: M,
    values: () => Parameters<Methods[M]>,
  ): Promise<ReturnType<Methods[M]>> {
    if (this.commits === undefined) return Promise.reject(new SqliteClosedError(this.options.file));
    return this.commits.call(method, values);
  }
}
