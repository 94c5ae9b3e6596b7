// Long because a job that BullMQ delivers and its way to the end are one: who has it, in which step, is one state.
import { randomUUID } from 'node:crypto';
import type { Job, RedisQueueBackend } from 'bullmq';
import {
  DeliveredRuns,
  type DeliveredOutcome,
  TaskInterruptedError,
  TaskSupersededError,
  WaitList,
  type ClaimedTask,
  type EngineDependencies,
  type ErrorRecord,
  type ResolvedQueueOptions,
  type SettledOutcome,
  type TaskLog,
} from 'nestjs-nightshift';
import { DeliveryGate, type Answer } from './delivery-gate.js';
import { readNotes, toClaimedTask, type JobOptions } from './job-format.js';
import { JobNotesWriter } from './job-notes-writer.js';
import { toRecord } from './job-record.js';
import { JobSupply } from './job-supply.js';
import { createJobWorker, type JobProcessor, type JobWorker, type NextJob } from './job-worker.js';
import { OutcomeWriter } from './outcome-writer.js';
import type { QueueStore } from './queue-store.js';
import { goodbyeMs, type RedisSession } from './redis-session.js';
import { reasonOf, toJobEnd, type JobEnd } from './settled-job.js';
import { late, withinTime } from './time-limit.js';

interface Delivery {
  readonly claimed: ClaimedTask;
  readonly answer: Answer | Promise<Answer>;
  /** Of one that somebody has dequeued: tells them that its outcome is stored. */
  settled?(): void;
}

export interface RunnerListener {
  onDelivered(): void;
  /** Nothing is in hand any more, and the server had nothing next. */
  onQuiet(): void;
  /** @param outcome what those who wait for the result are told; `undefined` when this was not its end, or did not count */
  onSettled(id: string, outcome: SettledOutcome | undefined, isKept: boolean): void;
}

/** Runs the jobs of one queue that BullMQ delivers to this process. */
export class JobRunner implements JobProcessor {
  readonly runs: DeliveredRuns;
  /** For those who run tasks by themselves. */
  readonly supply: JobSupply;
  private readonly notes: JobNotesWriter;
  private readonly writer: OutcomeWriter;
  private readonly gate: DeliveryGate;
  private readonly becomingQuiet = new WaitList();
  private readonly recovered = new Set<string>();
  private readonly delivered = new WeakMap<Job, Delivery>();
  private worker: JobWorker | undefined;
  private closing: Promise<unknown> | undefined;
  private readonly inHand = new Set<ClaimedTask>();
  private bullmqName = '';
  private onServed: (() => void) | undefined;

  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly dependencies: EngineDependencies,
    private readonly session: RedisSession,
    private readonly store: QueueStore,
    private readonly listener: RunnerListener,
  ) {
    this.runs = new DeliveredRuns(options, dependencies);
    this.notes = new JobNotesWriter(session);
    this.writer = new OutcomeWriter(session, store);
    this.gate = new DeliveryGate(options, dependencies, session, store);
    this.supply = new JobSupply(options.name, options.concurrency, {
      fetch: () => this.fetchOne(),
      onFailed: (error) => session.fail('fetch a task', error),
    });
  }

  get isOpen(): boolean {
    return this.worker !== undefined && this.closing === undefined;
  }

  get isQuiet(): boolean {
    return this.inHand.size === 0;
  }

  /** Whether a task is in the hands of this process: until it is told what became of it. */
  has(id: string): boolean {
    for (const claimed of this.inHand) if (claimed.id === id) return true;
    return false;
  }

  /** From now on tasks run. Whether they need a worker that fetches by itself depends on who runs them. */
  open(bullmqName: string): void {
    this.bullmqName = bullmqName;
    if (this.options.concurrency > 0) this.worker = this.createWorker();
    else this.supply.open();
  }

  setPaused(isPaused: boolean): void {
    this.gate.isPaused = isPaused;
    this.supply.isPaused = isPaused;
    this.supply.fetchSoon();
  }

  /** Fetches nothing more. What runs goes on. */
  stopFetching(): void {
    this.gate.isClosed = true;
    this.supply.close();
    this.closing ??= this.options.concurrency > 0 ? this.worker?.close() : this.closeAfterTaken();
  }

  /**
   * BullMQ does not know of tasks that others run: closed before them, its worker would renew their locks no more, and a job that
   * is still on its way could not be given back.
   */
  private async closeAfterTaken(): Promise<void> {
    await this.supply.whenAtRest();
    await this.whenQuiet();
    await this.worker?.close();
  }

  /** Resolves when nothing runs here and every outcome is written down. */
  async whenQuiet(): Promise<void> {
    while (!this.isQuiet) await this.becomingQuiet.wait();
  }

  async close(): Promise<void> {
    this.stopFetching();
    if (this.closing === undefined) return;
    const closed = await withinTime(this.closing, goodbyeMs, this.dependencies.clock);
    if (closed === late) await this.worker?.abandon();
  }

  /** Running tasks that somebody wants cancelled, wherever they run. */
  hearCancellations(cancellations: ReadonlyMap<string, string>): void {
    for (const [id, text] of cancellations)
      void this.runs.cancel(id, reasonOf(JSON.parse(text) as ErrorRecord));
  }

  tellParked(definitions: readonly string[]): void {
    this.gate.tellParked(definitions);
  }

  flushNotes(): void {
    if (this.worker !== undefined) this.notes.flush(this.backend);
  }

  deliver(job: Job, data: string): void {
    if (job.deferredFailure !== undefined) return; // BullMQ fails it by itself
    this.listener.onDelivered();
    const claimed = toClaimedTask({
      id: job.id!,
      name: job.name,
      data,
      timestamp: job.timestamp,
      opts: job.opts as JobOptions,
      priority: job.priority,
      attemptsMade: job.attemptsMade,
      attemptsStarted: job.attemptsStarted,
    });
    this.inHand.add(claimed);
    const answer = this.gate.answer(job, claimed, job.token!);
    this.delivered.set(job, { claimed, answer });
  }

  process(job: Job): Promise<Answer | DeliveredOutcome> {
    const delivery = this.delivered.get(job)!;
    return delivery.answer instanceof Promise
      ? this.processLater(delivery)
      : this.begin(delivery, delivery.answer);
  }

  settle(end: Answer | DeliveredOutcome, job: Job, fetchNext: boolean): Promise<NextJob | undefined> {
    const delivery = this.delivered.get(job)!;
    const { claimed } = delivery;
    if (end === undefined || end === 'goes') return Promise.resolve(this.letGo(claimed, job, undefined));
    if ('state' in end) return this.settleUnrun(end, job, fetchNext);
    const notes = this.notes.end(claimed.id, this.backend);
    const written = toJobEnd(claimed, end);
    const next =
      notes === undefined
        ? this.write(written, job, fetchNext)
        : notes.then(() => this.write(written, job, fetchNext));
    return delivery.settled === undefined ? next : next.finally(delivery.settled);
  }

  private get backend(): RedisQueueBackend {
    // Of several backends that the declaration knows, it is the one of Redis: that is what the engine connects to.
    return this.worker!.getBackend() as unknown as RedisQueueBackend;
  }

  private async processLater(delivery: Delivery): Promise<Answer | DeliveredOutcome> {
    return this.begin(delivery, await delivery.answer);
  }

  private begin(delivery: Delivery, answer: Answer): Promise<Answer | DeliveredOutcome> {
    const { claimed } = delivery;
    if (answer !== 'goes') return Promise.resolve(answer);
    if (!this.gate.mayBegin) return Promise.resolve(this.gate.giveBack(claimed));
    const onBegun = (log: TaskLog): void => this.notes.begin(claimed.id, log);
    if (this.options.concurrency > 0) return this.runs.run(claimed, onBegun);
    if (!this.supply.hasTakers) return Promise.resolve(this.gate.giveBack(claimed)); // they have gone meanwhile
    const { task, ended, settled } = this.runs.take(claimed, onBegun);
    delivery.settled = settled;
    this.supply.serve(task);
    this.onServed?.();
    return ended;
  }

  /** For whoever waits in `dequeue()`. Resolves when somebody has it, or it is out of the way. */
  private async fetchOne(): Promise<boolean> {
    if (this.worker === undefined) {
      this.worker = this.createWorker();
      await this.worker.keepLocks();
    }
    const job = await this.worker.getNextJob(randomUUID(), { block: false });
    if (job === undefined) return false;
    const served = new Promise<void>((resolve) => (this.onServed = resolve));
    const processed = this.worker
      .processJob(job, job.token!, () => false)
      .catch((error: unknown) => this.onWorkerError(error as Error));
    await Promise.race([processed, served]);
    return true;
  }

  private createWorker(): JobWorker {
    const { leaseMs, maxInterruptions, prefix } = this.session.options;
    const { rateLimit, retention, concurrency } = this.options;
    const { ageMs, count } = retention.completed;
    const options = {
      connection: this.session.client as never,
      prefix,
      autorun: concurrency > 0,
      concurrency: Math.max(1, concurrency),
      lockDuration: leaseMs,
      stalledInterval: leaseMs / 2,
      maxStalledCount: maxInterruptions,
      runRetryDelay: 1_000,
      removeOnComplete: { count, ...(ageMs !== Number.POSITIVE_INFINITY && { age: ageMs / 1_000 }) },
      ...(rateLimit !== undefined && { limiter: { max: rateLimit.max, duration: rateLimit.perMs } }),
    };
    const worker = createJobWorker(this.session.bullmq, this.bullmqName, options as never, this);
    worker.on('error', (error) => this.onWorkerError(error));
    worker.on('lockRenewalFailed', (ids) => this.supersede(ids));
    worker.on('stalled', (id) => this.onRecovered(id));
    worker.on('failed', (job) => job && this.onInterruptedForGood(job));
    return worker;
  }

  private async settleUnrun(end: JobEnd, job: Job, fetchNext: boolean): Promise<NextJob | undefined> {
    if (end.restMs === undefined) return this.write(end, job, fetchNext);
    await this.write(end, job, false);
    await this.session.sleep(end.restMs);
    return undefined;
  }

  private write(end: JobEnd, job: Job, fetchNext: boolean): Promise<NextJob | undefined> {
    return this.writer.write(end, job, fetchNext, this.backend).then(({ next, isTaken }) => {
      const { id: taskId, name } = end.claimed;
      if (isTaken === false)
        this.dependencies.events.emit('task.superseded', { queue: this.options.name, taskId, name });
      // What did not take effect is no outcome: whoever waits for that hears what comes of the task elsewhere.
      this.listener.onSettled(taskId, isTaken === true ? end.outcome : undefined, end.settlement.isKept);
      return this.letGo(end.claimed, job, next);
    });
  }

  /** It is not in our hands any more. */
  private letGo(
    claimed: ClaimedTask,
    job: Job,
    next: NextJob | undefined,
  ): NextJob | undefined | Promise<NextJob | undefined> {
    this.inHand.delete(claimed);
    if (this.isQuiet) this.becomingQuiet.release();
    if (this.isQuiet && !next?.[0]) this.listener.onQuiet();
    return claimed.concurrencyKey === undefined ? next : this.yieldKey(claimed, job).then(() => next);
  }

  private async yieldKey({ id, concurrencyKey }: ClaimedTask, { token }: Job): Promise<void> {
    try {
      await this.session.run('yieldKey', this.store.base, [id, concurrencyKey!, token!]);
    } catch (error) {
      this.session.fail('give a concurrencyKey back', error); // found out by the next look of anybody
    }
  }

  private supersede(ids: readonly string[]): void {
    for (const id of ids) this.runs.abort(id, new TaskSupersededError(id, this.options.name));
  }

  private onWorkerError(error: Error): void {
    if (error.message.startsWith('could not renew lock')) return; // told by `lockRenewalFailed`
    this.session.fail('run tasks', error);
  }

  /** One at a time, but told together. */
  private onRecovered(id: string): void {
    this.recovered.add(id);
    if (this.recovered.size === 1) setImmediate(() => void this.tellRecovered());
  }

  private async tellRecovered(): Promise<void> {
    const ids = [...this.recovered];
    this.recovered.clear();
    const { name: queue } = this.options;
    try {
      const jobs = await this.store.read(ids);
      const tasks = jobs.map((job) => ({ taskId: job.id, name: toRecord(job, queue, 0).name }));
      this.dependencies.events.emit('queue.recovered', { queue, tasks });
    } catch (error) {
      this.session.fail('tell what came back', error);
    }
  }

  /** BullMQ has given it up: its process has ended too often while it ran. */
  private onInterruptedForGood(job: Job): void {
    const { name: queue } = this.options;
    const taskId = job.id!;
    const error = new TaskInterruptedError(taskId, queue, job.stalledCounter);
    const name = readNotes(job.opts as JobOptions).name ?? job.name;
    const attempt = job.attemptsMade;
    this.dependencies.events.emit('task.failed', { queue, taskId, name, attempt, durationMs: 0, error });
    this.listener.onSettled(taskId, { error }, true);
  }
}
