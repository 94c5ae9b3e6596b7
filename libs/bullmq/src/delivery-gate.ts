import type { Job } from 'bullmq';
import type { ClaimedTask, EngineDependencies, ErrorRecord, ResolvedQueueOptions } from 'nestjs-nightshift';
import { readNotes, type JobOptions } from './job-format.js';
import { attemptField } from './job-record.js';
import type { QueueStore } from './queue-store.js';
import type { RedisSession } from './redis-session.js';
import {
  cancelledJob,
  expiredJob,
  expiresInOf,
  givenBack,
  interruptedAttempt,
  reasonOf,
  type JobEnd,
} from './settled-job.js';

/** How long what cannot run yet is set aside, if nobody releases it before. */
const heldForMs = 3_600_000;
/** How long a place rests so that another process can take what this one cannot run. */
const offerMs = 150;
const pauseMs = 1_000;

/** What is to be done with a delivered job; `undefined` when it is not in our hands any more. */
export type Answer = JobEnd | 'goes' | undefined;

/** Says of each delivered job whether it is to run here and now. */
export class DeliveryGate {
  isPaused = false;
  isClosed = false;
  private readonly parked = new Set<string>();
  private offered: string | undefined;
  /** That of the last delivery, while it is waited for. */
  private last: Promise<Answer> | undefined;

  constructor(
    private readonly options: ResolvedQueueOptions,
    private readonly dependencies: EngineDependencies,
    private readonly session: RedisSession,
    private readonly store: QueueStore,
  ) {}

  get mayBegin(): boolean {
    return !this.isClosed && !this.isPaused;
  }

  giveBack(claimed: ClaimedTask): JobEnd {
    return givenBack(claimed, this.options.name, this.session.now());
  }

  /** Tasks of these definitions are set aside: told of each once. */
  tellParked(definitions: readonly string[]): void {
    const fresh = definitions.filter((definition) => !this.parked.has(definition));
    if (fresh.length === 0) return;
    for (const definition of fresh) this.parked.add(definition);
    this.dependencies.events.emit('queue.parked', { queue: this.options.name, definitions: fresh });
  }

  /** Answers come in the order in which the jobs were delivered, also when one of them has to ask first. */
  answer(job: Job, claimed: ClaimedTask, token: string): Answer | Promise<Answer> {
    const mine = this.look(job, claimed, token);
    const { last } = this;
    if (!(mine instanceof Promise) && last === undefined) return mine;
    const inTurn = this.inTurn(mine, last, claimed, token).finally(() => {
      if (this.last === inTurn) this.last = undefined;
    });
    this.last = inTurn;
    return inTurn;
  }

  /** When it took so long that others may have been given the job meanwhile, because the server was away, it is asked whose it is. */
  private async inTurn(
    mine: Answer | Promise<Answer>,
    last: Promise<Answer> | undefined,
    claimed: ClaimedTask,
    token: string,
  ): Promise<Answer> {
    const { clock } = this.dependencies;
    const askedAt = clock.monotonic();
    const answer = await mine;
    await last;
    const isLate = clock.monotonic() - askedAt > this.session.options.leaseMs / 2;
    return answer === 'goes' && isLate ? this.whileOurs(claimed, token) : answer;
  }

  private whileOurs(claimed: ClaimedTask, token: string): Promise<Answer> {
    return this.untilAnswered(claimed, async () =>
      (await this.session.run('isOurs', this.store.base, [claimed.id, token])) === 1 ? 'goes' : undefined,
    );
  }

  private look(job: Job, claimed: ClaimedTask, token: string): Answer | Promise<Answer> {
    if (!this.mayBegin) return this.giveBack(claimed);
    const isFirst = job.attemptsStarted === 1;
    const { expiresAtMs, definition, concurrencyKey } = claimed;
    if (isFirst && expiresAtMs !== undefined && expiresAtMs <= this.session.now())
      return this.expire(claimed);
    const isHandled = this.dependencies.handlers.definition(definition) !== undefined;
    if (isHandled && isFirst && concurrencyKey === undefined) return 'goes';
    return this.untilAnswered(claimed, () =>
      isHandled ? this.askServer(job, claimed, token) : this.park(claimed, token),
    );
  }

  /** A server that does not answer is asked again until it does. */
  private async untilAnswered(claimed: ClaimedTask, ask: () => Promise<Answer>): Promise<Answer> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        this.session.fail('begin a task', error);
        if (!this.mayBegin) return this.giveBack(claimed);
        await this.session.sleep(pauseMs);
      }
    }
  }

  /** Of a job that has begun before, or has a concurrency key, the server has to be asked. */
  private async askServer(job: Job, claimed: ClaimedTask, token: string): Promise<Answer> {
    const { id, claim, concurrencyKey } = claimed;
    const { base } = this.store;
    const nowMs = this.session.now();
    if (job.attemptsStarted > 1) {
      const interrupted = job.stalledCounter > 0 ? interruptedAttempt(claimed, nowMs) : '';
      const args = [id, attemptField(claim - 1), interrupted];
      const cancellation = (await this.session.run('redeliver', base, args)) as string | null;
      if (cancellation) return this.cancel(claimed, cancellation);
    }
    if (concurrencyKey === undefined) return 'goes';
    const { concurrencyLimit = 1 } = readNotes(job.opts as JobOptions);
    const args = [id, token, concurrencyKey, concurrencyLimit, nowMs + heldForMs];
    return (await this.session.run('acquire', base, args)) === 1 ? 'goes' : undefined;
  }

  private expire(claimed: ClaimedTask): JobEnd {
    const { id: taskId, name } = claimed;
    const { name: queue, retention } = this.options;
    const expiresInMs = expiresInOf(claimed);
    this.dependencies.events.emit('task.expired', { queue, taskId, name, expiresInMs });
    return expiredJob(claimed, queue, this.session.now(), retention.expired.count > 0);
  }

  /** Its process has died before it could hear of it. */
  private cancel(claimed: ClaimedTask, text: string): JobEnd {
    const { id: taskId, name } = claimed;
    const { name: queue, retention } = this.options;
    const reason = reasonOf(JSON.parse(text) as ErrorRecord);
    this.dependencies.events.emit('task.cancelled', { queue, taskId, name, reason });
    return cancelledJob(claimed, queue, this.session.now(), text, retention.cancelled.count > 0);
  }

  /**
   * Of a definition that is not handled here, the first task is offered to other processes before it is set aside: there may be
   * one that handles it, and has nothing to do.
   */
  private async park(claimed: ClaimedTask, token: string): Promise<Answer> {
    const { id, definition } = claimed;
    if (!this.parked.has(definition) && this.offered !== id) {
      this.offered = id;
      return { ...this.giveBack(claimed), restMs: offerMs };
    }
    await this.session.run('park', this.store.base, [id, token, this.session.now() + heldForMs]);
    this.tellParked([definition]);
    return undefined;
  }
}
