import type { ClaimRequest } from 'nestjs-nightshift';
import type { ChangeFeed } from './change-feed.js';
import type { Database } from './database.js';
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

/**
 * Takes over the jobs that others have added with `graphile_worker.add_job()`, from another language or a trigger, and that
 * name a definition of ours. Until a job is due it stays where it is, so that `job_key`, `remove_job()` and
 * `reschedule_jobs()` go on meaning what they mean. Then it becomes a task, in one statement: it is never in both places, nor
 * in none. Nothing is used but what graphile-worker documents: the view `jobs`, and `complete_jobs()`.
 */
export class GraphileJobs {
  private readonly text: string;
  private readonly looked = new Map<string, { readonly version: number; readonly nextAtMs: number }>();

  constructor(
    private readonly database: Database,
    graphileSchema: string,
    private readonly feed: ChangeFeed,
    private readonly destinations: JobDestinations,
  ) {
    this.text = takeOver(quoteName(database.schema), quoteName(graphileSchema));
  }

  /**
   * Takes over what is due for the queue of a claim, if there may be anything.
   *
   * @returns when to ask again even if nothing is heard, on the clock of the claim
   */
  async takeOver({ queue, nowMs }: Pick<ClaimRequest, 'queue' | 'nowMs'>): Promise<number | undefined> {
    const version = this.feed.jobsVersion;
    const last = this.looked.get(queue);
    if (last?.version === version && nowMs < last.nextAtMs) return finite(last.nextAtMs);
    const destinations = this.destinations.of(queue);
    if (destinations.length === 0) return undefined;
    const [answer] = await this.database.query<Answer>(this.text, [
      queue,
      destinations.map(({ definition }) => definition),
      destinations.map(({ maxAttempts }) => maxAttempts),
    ]);
    const nextAtMs =
      Number(answer!.taken) === takenAtOnce ? nowMs : nowMs + Math.ceil(answer!.next_in_ms ?? Infinity);
    this.looked.set(queue, { version, nextAtMs });
    return finite(nextAtMs);
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
         AND run_at > now()) AS next_in_ms`;
}
