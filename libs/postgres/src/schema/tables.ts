/**
 * What each version of the tables adds to the one before: only ever added to. `s` is the quoted name of the schema.
 *
 * - A task's id is `seq-nonce`: the number is how it is found, and what follows keeps ids from being guessed.
 * - `rank` puts tasks that have fallen due before those that were enqueued to run at once, which all have 0, and then `seq`
 *   decides.
 * - `held` takes a waiting task out of the line: it has no handler, or its concurrency key has no room.
 * - `claim` goes up with each claim; `attempt` is the number of the attempt that runs or comes next.
 * - `long_keys` has the keys that no index takes, which are cut in their own columns.
 * - A row that changes its state is written anew with an entry in every index that it falls under, so it falls under the
 *   primary key and one other.
 * - `counts` is a list of changes, of which the sum counts: a number that everybody updates would make everybody wait for
 *   whoever has an open transaction.
 */
export const tableVersions: readonly ((s: string) => string)[] = [
  (s) => `
  CREATE TABLE ${s}.tasks (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    nonce text NOT NULL,
    queue text NOT NULL,
    name text NOT NULL,
    definition text NOT NULL,
    payload text,
    state text NOT NULL,
    held text,
    priority bigint NOT NULL,
    rank bigint NOT NULL DEFAULT 0,
    attempt bigint NOT NULL DEFAULT 1,
    max_attempts bigint NOT NULL,
    claim bigint NOT NULL DEFAULT 0,
    interruptions bigint NOT NULL DEFAULT 0,
    worker bigint,
    options text,
    tags text[],
    metadata text,
    enqueued_at bigint NOT NULL,
    due_at bigint,
    expires_at bigint,
    started_at bigint,
    ended_at bigint,
    dedup_key text,
    dedup_until bigint,
    concurrency_key text,
    concurrency_limit bigint,
    long_keys text,
    cancellation text,
    progress text,
    result text,
    error text,
    attempts jsonb
  ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
  CREATE INDEX tasks_ready ON ${s}.tasks (queue, priority, rank, seq) WHERE state = 'waiting' AND held IS NULL;
  CREATE INDEX tasks_held ON ${s}.tasks (queue, concurrency_key, priority, rank, seq) WHERE held = 'concurrencyKey';
  CREATE INDEX tasks_parked ON ${s}.tasks (queue, definition, priority, rank, seq) WHERE held = 'noHandler';
  CREATE INDEX tasks_active ON ${s}.tasks (worker) WHERE state = 'active';
  CREATE INDEX tasks_keyed ON ${s}.tasks (queue, concurrency_key)
    WHERE state = 'active' AND concurrency_key IS NOT NULL;
  CREATE INDEX tasks_due ON ${s}.tasks (queue, due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX tasks_expiring ON ${s}.tasks (queue, expires_at) WHERE expires_at IS NOT NULL AND ended_at IS NULL;
  CREATE INDEX tasks_ended ON ${s}.tasks (queue, state, seq) WHERE ended_at IS NOT NULL;
  CREATE UNIQUE INDEX tasks_unique ON ${s}.tasks (queue, dedup_key) WHERE dedup_key IS NOT NULL;

  CREATE TABLE ${s}.log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task bigint NOT NULL,
    at bigint NOT NULL,
    message text NOT NULL
  );
  CREATE INDEX log_by_task ON ${s}.log (task, id);

  CREATE TABLE ${s}.counts (queue text NOT NULL, state text NOT NULL, tasks bigint NOT NULL)
    WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
  CREATE INDEX counts_by_queue ON ${s}.counts (queue);

  CREATE TABLE ${s}.queues (name text PRIMARY KEY, paused boolean NOT NULL);

  CREATE TABLE ${s}.starts (queue text NOT NULL, at timestamptz NOT NULL, tasks bigint NOT NULL);
  CREATE INDEX starts_by_queue ON ${s}.starts (queue, at);

  CREATE TABLE ${s}.workers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    beat bigint NOT NULL,
    process text NOT NULL,
    since bigint NOT NULL
  );

  CREATE TABLE ${s}.occurrences (
    service text PRIMARY KEY,
    due_at bigint NOT NULL,
    worker bigint,
    previous bigint
  );
  `,
  // A claim with a smaller number than that of its worker comes too late: its worker has ceased to wait for it.
  (s) => `ALTER TABLE ${s}.workers ADD COLUMN fence bigint NOT NULL DEFAULT 0;`,
  () => '', // functions only: a claim that finds nothing writes nothing
  // Whether a task of the queue has ever had a concurrency key: only then do claims have to decide about keys.
  (s) => `
  ALTER TABLE ${s}.queues ADD COLUMN keyed boolean NOT NULL DEFAULT false;
  INSERT INTO ${s}.queues (name, paused, keyed)
    SELECT DISTINCT queue, false, true FROM ${s}.tasks WHERE concurrency_key IS NOT NULL
    ON CONFLICT (name) DO UPDATE SET keyed = true;`,
];
