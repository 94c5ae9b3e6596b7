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
  TasksLook,
  TaskState,
  TaskStorage,
  TellFailure,
  WorkerId,
} from 'nestjs-nightshift';
import type { News } from './change-feed.js';
import { untilFree, type busy } from './clash.js';
import { explainOutcome, PostgresClosedError } from './errors.js';
import { insertWithin } from './foreign-transaction.js';
import { toPlain } from './names.js';
import { openStore, type OpenStore, type PostgresStoreOptions } from './open-store.js';

/** Keeps tasks in a schema of a PostgreSQL database. What is asked at the same time goes there together: see `CallLane`. */
export class PostgresStorage implements TaskStorage {
  readonly name = 'postgres';
  /** The server answers nothing more in it. */
  readonly losesTransactions = true;
  private store: OpenStore | undefined;
  private readonly keyedQueues = new Set<string>();

  constructor(private readonly options: PostgresStoreOptions) {}

  async open(tellFailure: TellFailure): Promise<void> {
    this.store = await openStore(this.options, tellFailure);
  }

  async close(): Promise<void> {
    const { store } = this;
    this.store = undefined;
    await store?.close();
  }

  insert(task: NewTask, bound: QueueBound): Promise<InsertOutcome> {
    return untilFree((wasBusy) =>
      this.telling(({ insertions, lateInsertions }) => {
        const lane = wasBusy ? lateInsertions : insertions;
        return lane.call({ task, bound, wasBusy });
      }, 'tasks'),
    );
  }

  async insertWithin(transaction: unknown, task: NewTask, bound: QueueBound): Promise<InsertOutcome> {
    const { database, s, feed } = this.expectOpen();
    const { queue, concurrencyKey } = task;
    if (concurrencyKey !== undefined && !this.keyedQueues.has(queue)) {
      // Not in the transaction: all others who come with the first key of the queue would wait for it.
      await database.query(`SELECT ${s}.note_keyed($1)`, [queue]);
      this.keyedQueues.add(queue);
    }
    return insertWithin(transaction, this.options.schema, feed.channel, task, bound);
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    const { work, jobs } = this.expectOpen();
    const jobsDueAtMs = await jobs?.takeOver(request);
    const result = (await work.call({ claim: request })) as ClaimResult;
    return jobsDueAtMs === undefined
      ? result
      : { ...result, nextAtMs: Math.min(result.nextAtMs ?? Infinity, jobsDueAtMs) };
  }

  async settle(settlement: Settlement): Promise<boolean> {
    const news = newsOf(settlement);
    try {
      return await untilFree((wasBusy) =>
        this.telling(
          ({ work }) => work.call({ settle: settlement, wasBusy }) as Promise<boolean | typeof busy>,
          news,
        ),
      );
    } catch (error) {
      throw explainOutcome(error, settlement.id);
    }
  }

  async note(notes: TaskNotes): Promise<void> {
    await this.expectOpen().work.call({ note: notes });
  }

  async register(process: string, nowMs: number): Promise<WorkerId> {
    return this.expectOpen().workers.register(process, nowMs);
  }

  async beat(worker: WorkerId): Promise<Heartbeat> {
    return this.expectOpen().workers.beat(worker);
  }

  recover(workers: readonly WorkerId[], nowMs: number, maxInterruptions: number): Promise<RecoveryResult> {
    return this.telling((store) => store.workers.recover(workers, nowMs, maxInterruptions));
  }

  async unregister(worker: WorkerId, nowMs: number): Promise<void> {
    await this.expectOpen().work.whenIdle();
    await this.recover([worker], nowMs, Number.MAX_SAFE_INTEGER);
  }

  async look(
    worker: WorkerId | undefined,
    version: number | undefined,
  ): Promise<Look | TasksLook | undefined> {
    const { feed, workers } = this.expectOpen();
    const now = feed.version;
    if (now === version) return undefined;
    const news = version === undefined ? 'changes' : feed.newsSince(version);
    return news === 'changes' ? workers.look(worker, now) : { version: now, only: news };
  }

  async setPaused(queue: string, isPaused: boolean): Promise<void> {
    await this.telling(({ database, s }) =>
      database.query(
        `INSERT INTO ${s}.queues VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET paused = excluded.paused`,
        [queue, isPaused],
      ),
    );
  }

  async unpark(queue: string, definitions: readonly string[]): Promise<readonly string[]> {
    const { database, s } = this.expectOpen();
    await database.query(
      `UPDATE ${s}.tasks SET held = NULL
       WHERE queue = $1 AND held = 'noHandler' AND state = 'waiting' AND definition = ANY($2::text[])`,
      [queue, definitions.map(toPlain)],
    );
    const parked = await database.query<{ definition: string }>(
      `SELECT DISTINCT definition FROM ${s}.tasks WHERE queue = $1 AND held = 'noHandler'`,
      [queue],
    );
    return parked.map(({ definition }) => definition);
  }

  async ends(queue: string, ids: readonly string[]): Promise<TaskEnds> {
    return (await this.read()).ends(queue, ids);
  }

  async state(queue: string, id: string): Promise<TaskState | undefined> {
    return (await this.read()).state(queue, id);
  }

  async details(queue: string, id: string): Promise<TaskDetails | undefined> {
    return (await this.read()).details(queue, id);
  }

  async search(queue: string, query: ResolvedTaskQuery): Promise<StoredPage> {
    return (await this.read()).search(queue, query);
  }

  async counts(queue: string): Promise<TaskCounts> {
    return (await this.read()).counts(queue);
  }

  retry(queue: string, filter: ResolvedTaskFilter, nowMs: number): Promise<readonly DroppedTask[]> {
    return this.telling(({ control }) => control.retry(queue, filter, nowMs));
  }

  cancel(
    queue: string,
    filter: ResolvedTaskFilter,
    error: ErrorRecord,
    nowMs: number,
  ): Promise<CancelResult> {
    return this.telling(({ control }) => control.cancel(queue, filter, error, nowMs));
  }

  async remove(queue: string, filter: ResolvedTaskFilter): Promise<number> {
    return this.expectOpen().control.remove(queue, filter);
  }

  async prune(rule: RetentionRule, nowMs: number): Promise<boolean> {
    return this.expectOpen().control.prune(rule, nowMs);
  }

  async latestOccurrence(service: string): Promise<number | undefined> {
    return this.expectOpen().occurrences.latest(service);
  }

  async claimOccurrence(service: string, dueAtMs: number, worker: WorkerId): Promise<boolean> {
    return this.expectOpen().occurrences.claim(service, dueAtMs, worker);
  }

  async completeOccurrence(service: string, dueAtMs: number, worker: WorkerId): Promise<void> {
    return this.expectOpen().occurrences.complete(service, dueAtMs, worker);
  }

  releaseOccurrence(service: string, dueAtMs: number, worker: WorkerId): Promise<void> {
    return this.telling(({ occurrences }) => occurrences.release(service, dueAtMs, worker));
  }

  /** Whoever looks sees what this process has settled before. */
  private async read(): Promise<OpenStore['search']> {
    const { work, search } = this.expectOpen();
    await work.whenDone();
    return search;
  }

  /** Does something that others hear of. */
  private async telling<R>(change: (store: OpenStore) => Promise<R>, news?: News): Promise<R> {
    const store = this.expectOpen();
    const result = await change(store);
    store.feed.tell(news);
    return result;
  }

  private expectOpen(): OpenStore {
    if (this.store === undefined) throw new PostgresClosedError(this.options.server);
    return this.store;
  }
}

/** What runs again, or makes room for another one of its key, others may claim. */
function newsOf({ state, concurrencyKey }: Settlement): News {
  const runsAgain = state === 'waiting' || state === 'retrying';
  return runsAgain || concurrencyKey !== undefined ? 'tasks' : 'ends';
}
