import type { Queue } from 'bullmq';
import {
  TaskDiscardedError,
  toErrorRecord,
  type DroppedTask,
  type NewTask,
  type ResolvedQueueOptions,
} from 'nestjs-nightshift';
import { toJob } from './job-format.js';
import { JobIds } from './job-order.js';
import { displayName } from './job-record.js';
import type { RedisSession } from './redis-session.js';

export type Added =
  | { readonly kind: 'added'; readonly id: string; readonly replaced: DroppedTask | undefined }
  | { readonly kind: 'duplicate'; readonly id: string; readonly name: string }
  | { readonly kind: 'full' };

/** Adds jobs: the plain ones as BullMQ itself does, all others with a script of this library. One step each. */
export class JobAdder {
  private readonly replacedRecord: string;
  private readonly ids = new JobIds();

  constructor(
    private readonly session: RedisSession,
    private readonly base: string,
    private readonly queue: Queue,
    private readonly options: Pick<ResolvedQueueOptions, 'name' | 'capacity'>,
  ) {
    const why = 'replaced by another with its deduplicationKey';
    this.replacedRecord = JSON.stringify(toErrorRecord(new TaskDiscardedError('', options.name, why)));
  }

  /** Whether it can be added with {@link addPlain}. */
  isPlain({ deduplication, expiresAtMs, concurrencyKey }: NewTask): boolean {
    return (this.options.capacity ?? deduplication ?? expiresAtMs ?? concurrencyKey) === undefined;
  }

  /** @returns its id */
  addPlain(task: NewTask): Promise<string> {
    const jobId = this.ids.next(task.enqueuedAtMs);
    return this.session.reach('enqueue', () => this.queue.getBackend().addJob(toJob(task) as never, jobId));
  }

  async add(task: NewTask): Promise<Added> {
    const { name, data, timestamp, opts } = toJob(task);
    const { deduplication, expiresAtMs, concurrencyKey, concurrencyLimit } = task;
    const { priority = 0, delay = 0 } = opts;
    const windowMs =
      deduplication?.untilMs === undefined ? 0 : Math.max(1, deduplication.untilMs - timestamp);
    const options = deduplication === undefined ? opts : { ...opts, de: { id: deduplication.key } };
    const [kind, id, ...others] = (await this.session.run('enqueue', this.base, [
      name,
      data,
      JSON.stringify(options),
      timestamp,
      delay,
      priority,
      deduplication?.key ?? '',
      windowMs,
      deduplication?.onConflict ?? '',
      this.replacedRecord,
      this.options.capacity ?? '',
      expiresAtMs ?? '',
      concurrencyKey ?? '',
      concurrencyLimit,
      this.ids.next(task.enqueuedAtMs),
    ])) as string[];
    if (kind === 'full') return { kind };
    if (kind === 'duplicate') return { kind, id: id!, name: displayName(others[0]!, others[1]!) };
    const [replaced, replacedName, replacedOptions] = others;
    return {
      kind: 'added',
      id: id!,
      replaced:
        replaced === undefined
          ? undefined
          : { id: replaced, name: displayName(replacedName!, replacedOptions!) },
    };
  }
}
