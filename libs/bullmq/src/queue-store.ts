import {
  passes,
  toCursor,
  type DroppedTask,
  type ErrorRecord,
  type ResolvedTaskFilter,
  type ResolvedTaskQuery,
  type TaskCounts,
  type TaskDetails,
  type TaskEnds,
  type TaskPage,
  type TaskRecord,
  type TaskState,
} from 'nestjs-nightshift';
import {
  hasEnded,
  stateOf,
  toDetails,
  toEnd,
  toRecord,
  toStoredJob,
  type JobPlace,
  type StoredJob,
} from './job-record.js';
import { compareJobs, placeOf, type OrderedJob } from './job-order.js';
import type { RedisSession } from './redis-session.js';

/** How many jobs of each kind a search, a count or an action on many looks at. */
export const lookedAt = 10_000;
const readAtOnce = 200;
const changedAtOnce = 500;

/** What is seen of a queue at one moment, cheaply. */
export interface QueueLook {
  readonly isPaused: boolean;
  readonly waiting: number;
  /** Parents of flows whose children run. */
  readonly parents: number;
  readonly active: number;
  readonly delayed: number;
  readonly heldBack: number;
  /** Running tasks that somebody wants cancelled, with why. */
  readonly cancellations: ReadonlyMap<string, string>;
  /** Those that were found to have expired, and have been ended. */
  readonly expired: readonly {
    readonly id: string;
    readonly name: string;
    readonly options: string;
    readonly expiresInMs: number;
  }[];
}

/** The jobs of one queue, as they are kept. */
export class QueueStore {
  readonly base: string;

  constructor(
    private readonly session: RedisSession,
    private readonly queue: string,
    bullmqName: string,
  ) {
    this.base = session.base(bullmqName);
  }

  async look(): Promise<QueueLook> {
    const [paused, waiting, active, delayed, heldBack, cancels, expired, parents] = (await this.session.run(
      'look',
      this.base,
      [this.session.now()],
    )) as [number, number, number, number, number, string[], string[][], number];
    const cancellations = new Map<string, string>();
    for (let i = 0; i + 1 < cancels.length; i += 2) cancellations.set(cancels[i]!, cancels[i + 1]!);
    return {
      isPaused: paused === 1,
      waiting,
      parents,
      active,
      delayed,
      heldBack,
      cancellations,
      expired: expired.map(([id, name, options, timestamp, at]) => ({
        id: id!,
        name: name!,
        options: options!,
        expiresInMs: Number(at) - Number(timestamp),
      })),
    };
  }

  async ends(_queue: string, ids: readonly string[]): Promise<TaskEnds> {
    const jobs = await this.inParts(ids, (part) => this.read(part));
    const now = this.session.now();
    return {
      ended: jobs.filter(hasEnded).map((job) => toEnd(job, this.queue, now)),
      open: jobs.filter((job) => !hasEnded(job)).map(({ id }) => id),
    };
  }

  async state(_queue: string, id: string): Promise<TaskState | undefined> {
    const [job] = await this.read([id]);
    return job && stateOf(job, this.session.now());
  }

  async details(id: string): Promise<TaskDetails | undefined> {
    const [job] = await this.read([id]);
    if (job === undefined) return undefined;
    const lines = await this.session.reach('read a log', () =>
      this.session.client.lrange(`${this.base}${id}:logs`, 0, -1),
    );
    return toDetails(job, this.queue, lines, this.session.now());
  }

  async search(query: ResolvedTaskQuery): Promise<TaskPage> {
    const { limit, order, after: place, afterId: id = '' } = query;
    const compare = order === 'newest' ? (a: OrderedJob, b: OrderedJob) => compareJobs(b, a) : compareJobs;
    const after = place === undefined ? undefined : { place, id };
    const candidates = (await this.candidates(query))
      .filter((job) => after === undefined || compare(after, job) < 0)
      .toSorted(compare);
    const tasks: TaskRecord[] = [];
    let last: OrderedJob | undefined;
    for (let from = 0; from < candidates.length; from += readAtOnce) {
      const part = candidates.slice(from, from + readAtOnce);
      for (const record of await this.records(part, query)) {
        if (tasks.length === limit) return { tasks, next: toCursor(last!.place, last!.id) };
        tasks.push(record);
        last = { id: record.id, place: placeOf(record.id, record.enqueuedAt.getTime()) };
      }
    }
    return { tasks, next: undefined };
  }

  /** The ids of all that fit, of the jobs that are looked at. */
  async matching(filter: ResolvedTaskFilter, states: readonly TaskState[]): Promise<readonly DroppedTask[]> {
    const wanted = states.filter((state) => filter.states?.includes(state) ?? true);
    const narrowed = { ...filter, states: wanted };
    const candidates = (await this.candidates(narrowed)).toSorted(compareJobs);
    const found: DroppedTask[] = [];
    for (let from = 0; from < candidates.length; from += readAtOnce)
      for (const { id, name } of await this.records(candidates.slice(from, from + readAtOnce), narrowed))
        found.push({ id, name });
    return found;
  }

  async counts(): Promise<TaskCounts> {
    const { waiting, parents, active, delayed, heldBack } = await this.look();
    const [completed, failed] = await Promise.all([this.size('completed'), this.size('failed')]);
    const [later, ended] = await Promise.all([this.tally('delayed', delayed), this.tally('failed', failed)]);
    return {
      scheduled: later.get('scheduled') ?? 0,
      waiting: waiting + parents + (later.get('waiting') ?? 0),
      active,
      retrying: later.get('retrying') ?? 0,
      completed,
      dead: ended.get('dead') ?? 0,
      discarded: ended.get('discarded') ?? 0,
      cancelled: ended.get('cancelled') ?? 0,
      expired: ended.get('expired') ?? 0,
      heldBack,
    };
  }

  /** How many of what is delayed or failed is of which kind. What is not looked at counts as what it most likely is. */
  async tally(place: 'delayed' | 'failed', total: number): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    const most = Math.min(total, lookedAt);
    for (let from = 0; from < most; from += 1_000) {
      const args = [place, from, Math.min(from + 1_000, most) - 1, this.session.now()];
      const pairs = (await this.session.run('tally', this.base, args)) as (string | number)[];
      for (let i = 0; i + 1 < pairs.length; i += 2)
        counts.set(String(pairs[i]), (counts.get(String(pairs[i])) ?? 0) + Number(pairs[i + 1]));
    }
    const usual = place === 'delayed' ? 'scheduled' : 'dead';
    if (total > most) counts.set(usual, (counts.get(usual) ?? 0) + total - most);
    return counts;
  }

  /** @returns for each: 1 it is cancelled, 2 its worker is told, 0 neither */
  async cancel(ids: readonly string[], error: ErrorRecord): Promise<readonly number[]> {
    const text = JSON.stringify(error);
    const now = this.session.now();
    return this.inParts(
      ids,
      async (part) =>
        (await this.session.run('cancel', this.base, [now, text, error.message, ...part])) as number[],
    );
  }

  /** @returns those that run again */
  retry(ids: readonly string[]): Promise<readonly string[]> {
    return this.inParts(ids, async (part) => (await this.session.run('retry', this.base, part)) as string[]);
  }

  async remove(ids: readonly string[]): Promise<number> {
    const counts = await this.inParts(ids, async (part) => [
      Number(await this.session.run('remove', this.base, part)),
    ]);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async read(ids: readonly string[]): Promise<readonly StoredJob[]> {
    if (ids.length === 0) return [];
    const found = (await this.session.run('read', this.base, ids)) as [string, JobPlace, string, string[]][];
    return found.map(toStoredJob);
  }

  private async size(place: 'completed' | 'failed'): Promise<number> {
    return this.session.reach('count', () => this.session.client.zcard(this.base + place));
  }

  private async records(
    candidates: readonly OrderedJob[],
    filter: ResolvedTaskFilter,
  ): Promise<readonly TaskRecord[]> {
    const now = this.session.now();
    return (await this.read(candidates.map(({ id }) => id)))
      .map((job) => toRecord(job, this.queue, now))
      .filter((record) => passes(filter, { ...record, enqueuedAtMs: record.enqueuedAt.getTime() }));
  }

  private async candidates({ ids, states }: ResolvedTaskFilter): Promise<readonly OrderedJob[]> {
    if (ids !== undefined) {
      const jobs = await this.inParts([...new Set(ids)], (part) => this.read(part));
      return jobs.map(({ id, fields }) => ({ id, place: placeOf(id, Number(fields['timestamp'])) }));
    }
    const places = placesOf(states);
    if (places.length === 0) return [];
    const list = (await this.session.run('list', this.base, [lookedAt, ...places])) as string[];
    const found = new Map<string, OrderedJob>();
    for (let i = 0; i + 1 < list.length; i += 2)
      found.set(list[i]!, { id: list[i]!, place: placeOf(list[i]!, Number(list[i + 1])) });
    return [...found.values()];
  }

  private async inParts<T>(
    ids: readonly string[],
    change: (part: readonly string[]) => Promise<readonly T[]>,
  ): Promise<T[]> {
    const all: T[] = [];
    for (let from = 0; from < ids.length; from += changedAtOnce)
      all.push(...(await change(ids.slice(from, from + changedAtOnce))));
    return all;
  }
}

/** Where jobs of these states can be. */
function placesOf(states: readonly TaskState[] | undefined): readonly JobPlace[] {
  const places = new Set<JobPlace>();
  for (const state of states ?? (['waiting', 'active', 'completed', 'dead'] as const))
    for (const place of placesByState[state]) places.add(place);
  return [...places];
}

const placesByState: Readonly<Record<TaskState, readonly JobPlace[]>> = {
  scheduled: ['delayed'],
  waiting: ['wait', 'prioritized', 'delayed', 'waiting-children'],
  active: ['active'],
  retrying: ['delayed'],
  completed: ['completed'],
  dead: ['failed'],
  discarded: ['failed'],
  cancelled: ['failed'],
  expired: ['failed'],
};
