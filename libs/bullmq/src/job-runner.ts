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
import { readNotes, toClaimedTask, type JobOptions } from './job-format.js';
import { JobNotesWriter } from './job-notes-writer.js';
import { attemptField, toRecord } from './job-record.js';
import { createJobWorker, type JobProcessor, type NextJob } from './job-worker.js';
import type { QueueStore } from './queue-store.js';
import type { RedisSession } from './redis-session.js';
import {
  cancelledJob,
  expiredJob,
  expiresInOf,
  fieldsOf,
  givenBack,
  interruptedAttempt,
  isLost,
  reasonOf,
  toJobEnd,
  type JobEnd,
} from './settled-job.js';

/** How long what cannot run yet is set aside, if nobody releases it before. */
const heldForMs = 3_600_000;
const pauseMs = 1_000;

export interface RunnerListener {
  onDelivered(): void;
  /** @param outcome what those who wait for the result are told; `undefined` when this was not its end, or did not count */
  onSettled(id: string, outcome: SettledOutcome | undefined, isKept: boolean): void;
}

/** Runs the jobs of one queue that BullMQ delivers to this process. */
export class JobRunner implements JobProcessor {
  readonly runs: DeliveredRuns;
  private readonly notes: JobNotesWriter;
  private readonly becomingQuiet = new WaitList();
  private readonly parked = new Set<string>();
  private readonly recovered = new Set<string>();
  private worker: Worker | undefined;
  private closing: Promise<unknown> | undefined;
  private inHand = 0;
  private isPaused = false;

  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly dependencies: EngineDependencies,
    private readonly session: RedisSession,
    private readonly store: QueueStore,
    private readonly listener: RunnerListener,
  ) {
    this.runs = new DeliveredRuns(options, dependencies);
    this.notes = new JobNotesWriter(session);
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
    this.isPaused = isPaused;
  }

  /** Fetches nothing more. What runs goes on. */
  stopFetching(): void {
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

  async process(job: Job, data: string, token: string): Promise<JobEnd | undefined> {
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
    for (;;) {
      try {
        const end = await this.beforehand(job, claimed, token);
        return end === 'goes' ? await this.run(claimed) : end;
      } catch (error) {
        this.session.fail('begin a task', error);
        if (this.closing !== undefined) return givenBack(claimed, this.options.name, this.session.now());
        await this.session.sleep(pauseMs);
      }
    }
  }

  async settle(
    end: JobEnd | undefined,
    job: Job,
    token: string,
    fetchNext: boolean,
  ): Promise<NextJob | undefined> {
    try {
      return end === undefined ? undefined : await this.untilWritten(end, job, token, fetchNext);
    } finally {
      if (end?.claimed.concurrencyKey !== undefined) await this.yieldKey(end.claimed);
      this.inHand -= 1;
      if (this.inHand === 0) this.becomingQuiet.release();
    }
  }

  private get backend(): RedisQueueBackend {
    return this.worker!.getBackend() as unknown as RedisQueueBackend;
  }

  /** What ends the delivery before anything runs; `undefined` when the job is not in our hands any more. */
  private beforehand(
    job: Job,
    claimed: ClaimedTask,
    token: string,
  ): JobEnd | undefined | 'goes' | Promise<JobEnd | undefined | 'goes'> {
    const nowMs = this.session.now();
    if (this.closing !== undefined || this.isPaused) return givenBack(claimed, this.options.name, nowMs);
    const isFirst = job.attemptsStarted === 1;
    if (isFirst && claimed.expiresAtMs !== undefined && claimed.expiresAtMs <= nowMs)
      return this.expire(claimed);
    if (this.dependencies.handlers.definition(claimed.definition) === undefined)
      return this.park(claimed, token);
    return isFirst && claimed.concurrencyKey === undefined ? 'goes' : this.askServer(job, claimed, token);
  }

  /** Of a job that has begun before, or has a concurrency key, the server has to be asked. */
  private async askServer(
    job: Job,
    claimed: ClaimedTask,
    token: string,
  ): Promise<JobEnd | undefined | 'goes'> {
    const { id, claim, concurrencyKey } = claimed;
    const { base } = this.store;
    const nowMs = this.session.now();
    if (job.attemptsStarted > 1) {
      const interrupted = job.stalledCounter > 0 ? interruptedAttempt(claimed, nowMs) : '';
      const args = [id, attemptField(claim - 1), interrupted];
      const cancellation = (await this.session.run('redeliver', base, args)) as string | null;
      if (typeof cancellation === 'string') return this.cancelled(claimed, cancellation);
    }
    if (concurrencyKey === undefined) return 'goes';
    const { concurrencyLimit = 1 } = readNotes(job.opts as JobOptions);
    const args = [id, token, concurrencyKey, concurrencyLimit, nowMs + heldForMs];
    return (await this.session.run('acquire', base, args)) === 1 ? 'goes' : undefined;
  }

  private async run(claimed: ClaimedTask): Promise<JobEnd> {
    const { id } = claimed;
    const delivered = await this.runs.run(claimed, (log) => this.notes.begin(id, log));
    const written = this.notes.end(id, this.backend);
    if (written !== undefined) await written;
    return toJobEnd(claimed, delivered);
  }

  private expire(claimed: ClaimedTask): JobEnd {
    const { id: taskId, name } = claimed;
    const { name: queue, retention } = this.options;
    const expiresInMs = expiresInOf(claimed);
    this.dependencies.events.emit('task.expired', { queue, taskId, name, expiresInMs });
    return expiredJob(claimed, queue, this.session.now(), retention.expired.count > 0);
  }

  private cancelled(claimed: ClaimedTask, text: string): JobEnd {
    const { id: taskId, name } = claimed;
    const { name: queue, retention } = this.options;
    const reason = reasonOf(JSON.parse(text) as ErrorRecord);
    this.dependencies.events.emit('task.cancelled', { queue, taskId, name, reason });
    return cancelledJob(claimed, queue, this.session.now(), text, retention.cancelled.count > 0);
  }

  private async park({ id, definition }: ClaimedTask, token: string): Promise<undefined> {
    await this.session.run('park', this.store.base, [id, token, this.session.now() + heldForMs]);
    if (this.parked.has(definition)) return;
    this.parked.add(definition);
    this.dependencies.events.emit('queue.parked', { queue: this.options.name, definitions: [definition] });
  }

  private async untilWritten(
    end: JobEnd,
    job: Job,
    token: string,
    fetchNext: boolean,
  ): Promise<NextJob | undefined> {
    const { id: taskId, name } = end.claimed;
    for (;;) {
      try {
        const next = await this.write(end, job, token, fetchNext);
        this.listener.onSettled(taskId, end.outcome, end.settlement.isKept);
        return next;
      } catch (error) {
        if (isLost(error)) {
          this.dependencies.events.emit('task.superseded', { queue: this.options.name, taskId, name });
          this.listener.onSettled(taskId, undefined, true);
          return undefined;
        }
        this.session.fail('store an outcome', error);
        if (this.session.closed) return undefined;
        await this.session.sleep(pauseMs);
      }
    }
  }

  private async write(
    end: JobEnd,
    job: Job,
    token: string,
    fetchNext: boolean,
  ): Promise<NextJob | undefined> {
    const { backend } = this;
    const { state, settlement, claimed } = end;
    const { id } = claimed;
    if (state === 'completed') {
      await this.mark(end);
      const value: unknown = settlement.result === undefined ? undefined : JSON.parse(settlement.result);
      const { removeOnComplete } = job.opts;
      return (await backend.moveToCompleted(job, value, removeOnComplete!, token, fetchNext))
        .result as NextJob;
    }
    const fieldsToUpdate = fieldsOf(end);
    const nowMs = this.session.now();
    if (state === 'retrying' || state === 'waiting') {
      const delayMs = state === 'waiting' ? 0 : Math.max(0, settlement.dueAtMs! - nowMs);
      const skipAttempt = state === 'waiting' || settlement.nextAttempt === claimed.attempt;
      const options = { skipAttempt, fieldsToUpdate, fetchNext };
      return (await backend.moveToDelayed(id, nowMs, delayMs, token, options)) as NextJob;
    }
    const reason = settlement.error?.message ?? state;
    const isRemoved = settlement.isKept ? undefined! : true;
    const moved = await backend.moveToFailed(job, reason, isRemoved, token, fetchNext, fieldsToUpdate);
    return moved.result as NextJob;
  }

  /** What BullMQ has no place for when a job completes. */
  private async mark({ claimed, settlement }: JobEnd): Promise<void> {
    const { result, error } = settlement;
    if (result !== 'null' && error === undefined) return;
    const fields: Record<string, string> = {
      ...(result === 'null' && { 'nightshift:null': '1' }),
      ...(error !== undefined && { 'nightshift:lost': JSON.stringify(error) }),
    };
    await this.session.reach('store an outcome', () =>
      this.session.client.hset(this.store.base + claimed.id, fields),
    );
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
