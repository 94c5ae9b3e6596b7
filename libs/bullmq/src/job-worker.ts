import type { Job, RedisQueueBackend, Worker, WorkerOptions } from 'bullmq';
import type { Bullmq } from './bullmq-module.js';
import { endClient } from './end-client.js';

/** What a fetch, or a step that fetches along, gives. */
export type NextJob = Awaited<ReturnType<RedisQueueBackend['moveToActive']>>;

/** Who runs what the worker fetches. Nothing here rejects. */
export interface JobProcessor {
  /** It has been fetched. BullMQ may fetch others before it is processed. */
  deliver(job: Job, data: string): void;
  /** @returns what {@link settle} is given */
  process(job: Job): Promise<unknown>;
  /** Writes down what became of it, and fetches the next one in the same step if `fetchNext` says so. */
  settle(outcome: unknown, job: Job, fetchNext: boolean): Promise<NextJob | undefined>;
}

/** What a worker of BullMQ has for those who derive from it, beside what its types say. */
interface WorkerInside {
  updateDelays(limitDelay?: number, delayUntil?: number): void;
  readonly paused: boolean;
  readonly closing: Promise<void> | undefined;
  stalledCheckStopper?(): void;
  readonly backend: { readonly blockingConnection?: { readonly _client?: unknown } };
}

/**
 * A worker of BullMQ whose outcomes are those of tasks: there are more than the two of BullMQ, and each is one step at the
 * server that fetches the next job along, as BullMQ's own are.
 */
export interface JobWorker extends Worker {
  /** Of one that fetches nothing by itself: keeps the locks of the jobs that it is given, and looks for those of others. */
  keepLocks(): Promise<void>;
  /** Ends what a close leaves behind that the server does not answer: it would wait, and try again, for ever. */
  abandon(): Promise<void>;
}

export function createJobWorker(
  { Worker: BaseWorker }: Bullmq,
  name: string,
  options: WorkerOptions,
  processor: JobProcessor,
): JobWorker {
  const texts = new WeakMap<Job, string>();
  class OwnWorker extends BaseWorker implements JobWorker {
    async keepLocks(): Promise<void> {
      await this.startStalledCheckTimer();
      this.lockManager.start();
    }

    async abandon(): Promise<void> {
      const inside = insideOf(this);
      await this.lockManager.close();
      inside.stalledCheckStopper?.();
      // Itself, since BullMQ would wait until it is ready, or for a close that has begun already.
      // oxlint-disable-next-line no-underscore-dangle -- the name is BullMQ's
      const client = inside.backend.blockingConnection?._client;
      if (client !== undefined) endClient(client);
    }

    protected override createJob(...[json, id]: Parameters<Worker['createJob']>): Job {
      const { data } = json;
      // Parsed by whoever handles the task, and once; but a job of a scheduler is the model of the next.
      if (json.repeatJobKey === undefined) json.data = '';
      const job = super.createJob(json, id);
      texts.set(job, data);
      return job;
    }

    protected override async handleCompleted(
      outcome: unknown,
      job: Job,
      token: string,
      fetchNextCallback: () => boolean = () => true,
    ): Promise<Job> {
      const inside = insideOf(this);
      const fetchNext = fetchNextCallback() && inside.closing === undefined && !inside.paused;
      const next = await processor.settle(outcome, job, fetchNext);
      // Its declaration leaves out that there may be no next job, which its caller expects.
      if (!Array.isArray(next)) return undefined as unknown as Job;
      const [json, id, limitDelay, delayUntil] = next as [never, string, number, number];
      inside.updateDelays(limitDelay, delayUntil);
      return this.nextJobFromJobData(json, id, token);
    }
  }
  const worker = new OwnWorker(name, (job: Job) => processor.process(job), options);
  worker.on('active', (job) => processor.deliver(job, texts.get(job) ?? '{}'));
  return worker;
}

/** Private to BullMQ's own worker, and the only place that knows. */
function insideOf(worker: Worker): WorkerInside {
  return worker as unknown as WorkerInside;
}
