import type { ClaimRequest, TellFailure } from 'nestjs-nightshift';
import { isClash } from './clash.js';
import type { ChangeFeed } from './change-feed.js';
import type { Database } from './database.js';
import { PostgresPermissionError } from './errors.js';
import { explainGraphile } from './graphile-schema.js';
import { quoteName } from './names.js';

/** A definition whose tasks others may add as jobs, by its name. */
export interface JobDestination {
  readonly definition: string;
  /** For jobs that say nothing of their own. */
  readonly maxAttempts: number;
}

export interface JobDestinations {
  /** The definitions whose jobs belong to a queue. */
  of(queue: string): readonly JobDestination[];
}

interface Answer {
  readonly taken: string;
  /** When the next one is due, from now. */
  readonly next_in_ms: number | null;
}

/** What graphile-worker gives a job for which no `max_attempts` was given. */
const usualMaxAttempts = 25;
/** How many jobs are taken over at once. */
const takenAtOnce = 500;
/** How long to wait for whoever has a job locked, in an open transaction: the claim waits too. */
const lockPatienceMs = 500;
/** How long to wait after a look has failed, in milliseconds: doubled each time, up to the last. */
const pauseMs = { first: 100, last: 5_000 } as const;
/** How many clashes with others in a row are told: one or two are what happens when several look at once. */
const toldClashes = 5;
/** For how long the same failure is not told again. */
const quietMs = 600_000;

/** What came of the last look for the jobs of a queue. */
interface LastLook {
  readonly version: number;
  readonly nextAtMs: number;
  /** How many have failed in a row. */
  readonly failures: number;
}

/**
 * Takes over the jobs that others have added with `graphile_worker.add_job()`, from another language or a trigger, and that
 * name a definition of ours. Until a job is due it stays where it is, so that `job_key`, `remove_job()` and
 * `reschedule_jobs()` go on meaning what they mean. Then it becomes a task, in one statement: it is never in both places, nor
 * in none. Nothing is used but what graphile-worker documents: the view `jobs`, and `complete_jobs()`.
 */
export class GraphileJobs {
  private readonly text: string;
  private readonly looked = new Map<string, LastLook>();
  private lastTold: { readonly text: string; readonly atMs: number } | undefined;

  constructor(
    private readonly database: Database,
    private readonly graphileSchema: string,
    private readonly feed: ChangeFeed,
    private readonly destinations: JobDestinations,
    private readonly tellFailure: TellFailure,
  ) {
    this.text = takeOver(quoteName(database.schema), quoteName(graphileSchema));
  }

  /**
   * Takes over what is due for the queue of a claim, if there may be anything. It does not reject: what is wrong with jobs
   * must not keep the tasks of the queue from being claimed. It is told, and tried again a little later.
   *
   * @returns when to ask again even if nothing is heard, on the clock of the claim
   */
  async takeOver({ queue, nowMs }: Pick<ClaimRequest, 'queue' | 'nowMs'>): Promise<number | undefined> {
    const version = this.feed.jobsVersion;
    const last = this.looked.get(queue);
    const isHeard = last?.version !== version && last?.failures === 0;
    if (last !== undefined && !isHeard && nowMs < last.nextAtMs) return finite(last.nextAtMs);
    const destinations = this.destinations.of(queue);
    if (destinations.length === 0) return undefined;
    try {
      const nextAtMs = await this.look(queue, nowMs, destinations);
      this.looked.set(queue, { version, nextAtMs, failures: 0 });
      return finite(nextAtMs);
    } catch (error) {
      const failures = (last?.failures ?? 0) + 1;
      const nextAtMs = nowMs + Math.min(pauseMs.first * 2 ** (failures - 1), pauseMs.last);
      this.looked.set(queue, { version, nextAtMs, failures });
      if (!isClash(error) || failures >= toldClashes) this.tell(error, nowMs);
      return nextAtMs;
    }
  }

  /** @returns when the next one is due, on the clock of the claim */
  private async look(queue: string, nowMs: number, destinations: readonly JobDestination[]): Promise<number> {
    const values = [
      queue,
      destinations.map(({ definition }) => definition),
      destinations.map(({ maxAttempts }) => maxAttempts),
    ];
    const [answer] = await this.database.transaction(async (connection) => {
      await connection.query(`SET LOCAL lock_timeout = ${lockPatienceMs}`);
      return (await connection.query(this.text, values)).rows as Answer[];
    });
    if (Number(answer!.taken) === takenAtOnce) return nowMs;
    return nowMs + Math.ceil(answer!.next_in_ms ?? Infinity);
  }

  private tell(failure: unknown, atMs: number): void {
    const isForbidden = failure instanceof PostgresPermissionError;
    const error = isForbidden ? explainGraphile(failure.cause, this.graphileSchema) : failure;
    const text = String(error);
    if (this.lastTold?.text === text && atMs - this.lastTold.atMs < quietMs) return;
    this.lastTold = { text, atMs };
    this.tellFailure('take over jobs', error);
  }
}

function finite(ms: number): number | undefined {
  return Number.isFinite(ms) ? ms : undefined;
}

/** `maxAttempts` in `options` is what the engine looks for there. */
function takeOver(s: string, graphile: string): string {
  return `
    WITH ours AS (
      SELECT * FROM unnest($2::text[], $3::bigint[]) AS ours(definition, max_attempts)
    ), due AS MATERIALIZED (
      SELECT id, queue_name, task_identifier, priority, max_attempts, key, flags, created_at, run_at FROM ${graphile}.jobs
      WHERE task_identifier IN (SELECT definition FROM ours) AND locked_at IS NULL AND attempts < max_attempts
        AND run_at <= now()
      ORDER BY priority, run_at, id LIMIT ${takenAtOnce}
    ), taken AS MATERIALIZED (
      SELECT id, payload FROM ${graphile}.complete_jobs((SELECT coalesce(array_agg(id), '{}') FROM due))
    ), added AS MATERIALIZED (
      SELECT ${s}.add_task(json_build_object(
        'nonce', substr(replace(gen_random_uuid()::text, '-', ''), 1, 12),
        'queue', $1::text,
        'name', task_identifier,
        'definition', task_identifier,
        'payload', payload::text,
        'priority', priority,
        'maxAttempts', attempts,
        'options', CASE WHEN own_attempts <> ${usualMaxAttempts} THEN json_build_object('maxAttempts', own_attempts)::text END,
        'enqueuedAtMs', floor(extract(epoch FROM created_at) * 1000)::bigint,
        'tags', flags,
        'key', key,
        'onConflict', 'replace',
        'concurrencyKey', queue_name,
        'concurrencyLimit', 1))
      FROM (
        SELECT id, task_identifier, queue_name, priority, key, created_at, payload, due.max_attempts AS own_attempts,
          CASE due.max_attempts WHEN ${usualMaxAttempts} THEN ours.max_attempts ELSE due.max_attempts END AS attempts,
          (SELECT json_agg(flag) FROM jsonb_object_keys(due.flags) flag) AS flags
        FROM due JOIN taken USING (id) JOIN ours ON definition = task_identifier ORDER BY due.priority, due.run_at, id
      ) jobs
    )
    SELECT (SELECT count(*) FROM added) AS taken,
      (SELECT extract(epoch FROM min(run_at) - now())::float8 * 1000 FROM ${graphile}.jobs
       WHERE task_identifier IN (SELECT definition FROM ours) AND locked_at IS NULL AND attempts < max_attempts
         AND run_at > now() AND isfinite(run_at)) AS next_in_ms`;
}
