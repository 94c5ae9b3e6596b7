import type { Job, RedisQueueBackend, Worker } from 'bullmq';
import {
  DeliveredRuns,
  TaskInterruptedError,
  TaskSupersededError,
  WaitList,
  type ClaimedTask,
  type EngineDependencies,
  type ErrorRecord,
  type ResolvedQueueOptions,
  type SettledOutcome,
} from 'nestjs-nightshift';
import { DeliveryGate, type Answer } from './delivery-gate.js';
import { readNotes, toClaimedTask, type JobOptions } from './job-format.js';
import { JobNotesWriter } from './job-notes-writer.js';
import { toRecord } from './job-record.js';
import { createJobWorker, type JobProcessor, type NextJob } from './job-worker.js';
import { OutcomeWriter } from './outcome-writer.js';
import type { QueueStore } from './queue-store.js';
import type { RedisSession } from './redis-session.js';
import { reasonOf, toJobEnd, type JobEnd } from './settled-job.js';

const pauseMs = 1_000;

interface Delivery {
  readonly claimed: ClaimedTask;
  readonly answer: Answer | Promise<Answer>;
}

export interface RunnerListener {
  onDelivered(): void;
  /** @param outcome what those who wait for the result are told; `undefined` when this was not its end, or did not count */
  onSettled(id: string, outcome: SettledOutcome | undefined, isKept: boolean): void;
}

/** Runs the jobs of one queue that BullMQ delivers to this process. */
export class JobRunner implements JobProcessor {
  readonly runs: DeliveredRuns;
  private readonly notes: JobNotesWriter;
  private readonly writer: OutcomeWriter;
  private readonly gate: DeliveryGate;
  private readonly becomingQuiet = new WaitList();
  private readonly recovered = new Set<string>();
  private readonly delivered = new WeakMap<Job, Delivery>();
  private worker: Worker | undefined;
  private closing: Promise<unknown> | undefined;
  private inHand = 0;

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
  }

  get isOpen(): boolean {
    return this.worker !== undefined && this.closing === undefined;
  }

  get isQuiet(): boolean {
    return this.inHand === 0;
  }

  open(bullmqName: string): void {
    const { leaseMs, maxInterruptions, prefix } = this.session.options;
    const { rateLimit, retention, concurrency } = this.options;
    const { ageMs, count } = retention.completed;
    const options = {
      connection: this.session.client as never,
      prefix,
      concurrency,
      lockDuration: leaseMs,
      stalledInterval: leaseMs / 2,
      maxStalledCount: maxInterruptions,
      runRetryDelay: pauseMs,
      removeOnComplete: { count, ...(ageMs !== Number.POSITIVE_INFINITY && { age: ageMs / 1_000 }) },
      ...(rateLimit !== undefined && { limiter: { max: rateLimit.max, duration: rateLimit.perMs } }),
    };
    const worker = createJobWorker(this.session.bullmq, bullmqName, options as never, this);
    worker.on('error', (error) => this.onWorkerError(error));
    worker.on('lockRenewalFailed', (ids) => this.supersede(ids));
    worker.on('stalled', (id) => this.onRecovered(id));
    worker.on('failed', (job) => job && this.onInterruptedForGood(job));
    this.worker = worker;
  }

  setPaused(isPaused: boolean): void {
    this.gate.isPaused = isPaused;
  }

  /** Fetches nothing more. What runs goes on. */
  stopFetching(): void {
    this.gate.isClosed = true;
    this.closing ??= this.worker?.close();
  }

  /** Resolves when nothing runs here and every outcome is written down. */
  async whenQuiet(): Promise<void> {
    while (!this.isQuiet) await this.becomingQuiet.wait();
  }

  async close(): Promise<void> {
    this.stopFetching();
    if (this.closing === undefined) return;
    const late = this.session.sleep(pauseMs).then(() => 'late');
    if ((await Promise.race([this.closing, late])) === 'late') await this.backend.disconnectBlocking(false);
  }

  /** Running tasks that somebody wants cancelled, wherever they run. */
  hearCancellations(cancellations: ReadonlyMap<string, string>): void {
    for (const [id, text] of cancellations)
      void this.runs.cancel(id, reasonOf(JSON.parse(text) as ErrorRecord));
  }

  flushNotes(): void {
    if (this.worker !== undefined) this.notes.flush(this.backend);
  }

  deliver(job: Job, data: string, token: string): void {
    if (job.deferredFailure !== undefined) return; // BullMQ fails it by itself
    this.inHand += 1;
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
    this.delivered.set(job, { claimed, answer: this.gate.answer(job, claimed, token) });
  }

  async process(job: Job): Promise<JobEnd | undefined> {
    const { claimed, answer } = this.delivered.get(job)!;
    const end = answer instanceof Promise ? await answer : answer;
    if (end !== 'goes') return end;
    return this.gate.mayBegin ? this.run(claimed) : this.gate.giveBack(claimed);
  }

  async settle(
    end: JobEnd | undefined,
    job: Job,
    token: string,
    fetchNext: boolean,
  ): Promise<NextJob | undefined> {
    try {
      if (end === undefined) return undefined;
      if (end.restMs === undefined) return await this.write(end, job, token, fetchNext);
      await this.write(end, job, token, false);
      await this.session.sleep(end.restMs);
      return undefined;
    } finally {
      if (end?.claimed.concurrencyKey !== undefined) await this.yieldKey(end.claimed);
      this.inHand -= 1;
      if (this.inHand === 0) this.becomingQuiet.release();
    }
  }

  private get backend(): RedisQueueBackend {
    return this.worker!.getBackend() as unknown as RedisQueueBackend;
  }

  private async run(claimed: ClaimedTask): Promise<JobEnd> {
    const { id } = claimed;
    const delivered = await this.runs.run(claimed, (log) => this.notes.begin(id, log));
    const written = this.notes.end(id, this.backend);
    if (written !== undefined) await written;
    return toJobEnd(claimed, delivered);
  }

  private async write(
    end: JobEnd,
    job: Job,
    token: string,
    fetchNext: boolean,
  ): Promise<NextJob | undefined> {
    const { id: taskId, name } = end.claimed;
    const { next, isTaken } = await this.writer.write(end, job, token, fetchNext, this.backend);
    if (isTaken === false)
      this.dependencies.events.emit('task.superseded', { queue: this.options.name, taskId, name });
    // What did not take effect is no outcome: whoever waits for that hears what comes of the task elsewhere.
    this.listener.onSettled(taskId, isTaken === true ? end.outcome : undefined, end.settlement.isKept);
    return next;
  }

  private async yieldKey({ id, concurrencyKey }: ClaimedTask): Promise<void> {
    try {
      await this.session.run('yieldKey', this.store.base, [id, concurrencyKey!]);
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
