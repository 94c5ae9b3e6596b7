import type { Job, RedisQueueBackend } from 'bullmq';
import { readNotes, type JobOptions } from './job-format.js';
import { attemptField } from './job-record.js';
import type { NextJob } from './job-worker.js';
import type { QueueStore } from './queue-store.js';
import type { RedisSession } from './redis-session.js';
import { fieldsOf, isLost, type JobEnd } from './settled-job.js';

const pauseMs = 1_000;

export interface Written {
  /** The next job, if one was to be fetched along. */
  readonly next: NextJob | undefined;
  /** `false`: the job had been given to another worker; `undefined`: nobody knows, for the engine was closed. */
  readonly isTaken: boolean | undefined;
}

/** Writes down what became of jobs, in one step each. */
export class OutcomeWriter {
  constructor(
    private readonly session: RedisSession,
    private readonly store: QueueStore,
  ) {}

  /** Tries until it has taken effect, or can take none any more. */
  write(end: JobEnd, job: Job, fetchNext: boolean, backend: RedisQueueBackend): Promise<Written> {
    // Promises are what a small job costs: one is enough when all goes well.
    return this.move(end, job, fetchNext, backend).then(
      (next) => ({ next, isTaken: true }),
      (error: unknown) => this.retry(error, end, job, fetchNext, backend),
    );
  }

  private async retry(
    failure: unknown,
    end: JobEnd,
    job: Job,
    fetchNext: boolean,
    backend: RedisQueueBackend,
  ): Promise<Written> {
    for (let error = failure; ;) {
      if (isLost(error)) {
        try {
          return { next: undefined, isTaken: await this.isStored(end) };
        } catch (again) {
          error = again;
        }
      }
      this.session.fail('store an outcome', error);
      if (this.session.closed) return { next: undefined, isTaken: undefined };
      await this.session.sleep(pauseMs);
      try {
        return { next: await this.move(end, job, fetchNext, backend), isTaken: true };
      } catch (again) {
        error = again;
      }
    }
  }

  /** Whether this outcome is why the job is not in our hands: the client sends again what it was not answered. */
  private async isStored(end: JobEnd): Promise<boolean> {
    const { id, claim } = end.claimed;
    const field = attemptField(claim);
    const args = [id, claim, end.state, field, fieldsOf(end, 0)[field] ?? ''];
    const stored = (await this.session.run('outcomeStored', this.store.base, args)) as number;
    return stored === 1 || (stored === -1 && !end.settlement.isKept);
  }

  private move(
    end: JobEnd,
    job: Job,
    fetchNext: boolean,
    backend: RedisQueueBackend,
  ): Promise<NextJob | undefined> {
    const { state } = end;
    const hasEnded = state !== 'retrying' && state !== 'waiting';
    if (hasEnded && readNotes(job.opts as JobOptions).hasWindow === true)
      return this.session
        .run('keepWindow', this.store.base, [end.claimed.id])
        .then(() => this.moveNow(end, job, fetchNext, backend));
    return this.moveNow(end, job, fetchNext, backend);
  }

  private moveNow(
    end: JobEnd,
    job: Job,
    fetchNext: boolean,
    backend: RedisQueueBackend,
  ): Promise<NextJob | undefined> {
    const { state, settlement } = end;
    if (state !== 'completed') return this.moveElsewhere(end, job, fetchNext, backend);
    if (settlement.result === 'null' || settlement.error !== undefined)
      return this.mark(end).then(() => complete(end, job, fetchNext, backend));
    return complete(end, job, fetchNext, backend);
  }

  private async moveElsewhere(
    end: JobEnd,
    job: Job,
    fetchNext: boolean,
    backend: RedisQueueBackend,
  ): Promise<NextJob | undefined> {
    const { state, settlement, claimed } = end;
    const token = job.token!;
    const fieldsToUpdate = fieldsOf(end, job.priority);
    const nowMs = this.session.now();
    if (state === 'retrying' || state === 'waiting') {
      const delayMs = state === 'waiting' ? 0 : Math.max(0, settlement.dueAtMs! - nowMs);
      const skipAttempt = state === 'waiting' || settlement.nextAttempt === claimed.attempt;
      const options = { skipAttempt, fieldsToUpdate, fetchNext };
      return (await backend.moveToDelayed(claimed.id, nowMs, delayMs, token, options)) as NextJob;
    }
    const reason = settlement.error?.message ?? state;
    const isRemoved = settlement.isKept ? undefined! : true;
    const moved = await backend.moveToFailed(job, reason, isRemoved, token, fetchNext, fieldsToUpdate);
    return moved.result as NextJob;
  }

  /** What BullMQ has no place for when a job completes. */
  private async mark({ claimed, settlement }: JobEnd): Promise<void> {
    const { result, error } = settlement;
    const fields: Record<string, string> = {
      ...(result === 'null' && { 'nightshift:null': '1' }),
      ...(error !== undefined && { 'nightshift:lost': JSON.stringify(error) }),
    };
    await this.session.reach('store an outcome', () =>
      this.session.client.hset(this.store.base + claimed.id, fields),
    );
  }
}

async function complete(
  { settlement }: JobEnd,
  job: Job,
  fetchNext: boolean,
  backend: RedisQueueBackend,
): Promise<NextJob | undefined> {
  const value: unknown = settlement.result === undefined ? undefined : JSON.parse(settlement.result);
  const { removeOnComplete } = job.opts;
  const { result } = await backend.moveToCompleted(job, value, removeOnComplete!, job.token!, fetchNext);
  return result as NextJob;
}
