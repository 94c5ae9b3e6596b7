/** How many attempts of a task are kept. */
const attemptsKept = 50;
/** How many lines of a task's log are kept. */
const linesKept = 100;

/** What the end of a task does to its key: it is free again, unless it is taken for longer. */
export const keyAfter = (atMs: string): string => `CASE WHEN dedup_until > ${atMs} THEN dedup_key END`;

/** `attempts` of a task with one more, if there is one. */
export const attemptsWith = (attempt: string): string => `
  CASE WHEN ${attempt} IS NULL THEN attempts
    WHEN jsonb_array_length(attempts) >= ${attemptsKept} THEN (attempts - 0) || ${attempt}
    ELSE coalesce(attempts, '[]') || ${attempt} END`;

/** What becomes of attempts, and what running tasks say: under the current claim, and no other. */
export const settlement = (s: string): string => `
  -- The numbers of those that took effect. Only what is active has a worker; to ask for the state would lead the planner to
  -- the index of what is active, which is full of what no longer is.
  CREATE OR REPLACE FUNCTION ${s}.settle(kept json, gone json, keyed json) RETURNS bigint[] LANGUAGE plpgsql AS $$
  DECLARE
    settled bigint[];
    removed bigint[];
    released record;
  BEGIN
    IF kept IS NOT NULL THEN
      WITH rows AS (
        UPDATE ${s}.tasks t SET
          state = g.state,
          worker = NULL,
          cancellation = CASE WHEN g.state IN ('waiting', 'retrying') THEN cancellation END,
          ended_at = CASE WHEN g.state NOT IN ('waiting', 'retrying') THEN g.at END,
          due_at = g.due,
          attempt = coalesce(g.next, t.attempt),
          result = g.result,
          error = CASE WHEN g.state = 'waiting' THEN t.error ELSE g.error END,
          dedup_key = CASE WHEN g.state IN ('waiting', 'retrying') THEN dedup_key ELSE ${keyAfter('g.at')} END,
          attempts = ${attemptsWith('g.attempt')}
        FROM json_to_recordset(kept) AS g(seq bigint, claim bigint, state text, at bigint, due bigint, next bigint,
          result text, error text, attempt jsonb)
        WHERE t.seq = g.seq AND t.claim = g.claim AND t.worker IS NOT NULL
        RETURNING t.seq
      )
      SELECT array_agg(seq) INTO settled FROM rows;
    END IF;
    IF gone IS NOT NULL THEN
      WITH rows AS (
        DELETE FROM ${s}.tasks t USING json_to_recordset(gone) AS g(seq bigint, claim bigint)
          WHERE t.seq = g.seq AND t.claim = g.claim AND t.worker IS NOT NULL
          RETURNING t.seq
      )
      SELECT array_agg(seq) INTO removed FROM rows;
      IF EXISTS (SELECT FROM ${s}.log WHERE task = ANY(removed)) THEN
        DELETE FROM ${s}.log WHERE task = ANY(removed);
      END IF;
      settled := settled || removed;
    END IF;
    IF keyed IS NOT NULL THEN
      FOR released IN
        SELECT queue, key, count(*) AS ended FROM json_to_recordset(keyed) AS g(seq bigint, queue text, key text)
          WHERE seq = ANY(settled) GROUP BY queue, key ORDER BY queue, key
      LOOP
        PERFORM ${s}.release_key(released.queue, released.key, released.ended);
      END LOOP;
    END IF;
    RETURN settled;
  END $$;

  -- Those of these tasks whose rows are in the hands of somebody else. The others are locked.
  CREATE OR REPLACE FUNCTION ${s}.busy_among(kept json, gone json, notes json) RETURNS bigint[] LANGUAGE plpgsql AS $$
  DECLARE
    given bigint[];
    free bigint[];
  BEGIN
    given := ARRAY(SELECT seq FROM json_to_recordset(kept) AS x(seq bigint)
      UNION ALL SELECT seq FROM json_to_recordset(gone) AS x(seq bigint)
      UNION ALL SELECT seq FROM json_to_recordset(notes) AS x(seq bigint));
    free := ARRAY(SELECT seq FROM ${s}.tasks WHERE seq = ANY(given) FOR UPDATE SKIP LOCKED);
    RETURN ARRAY(SELECT seq FROM ${s}.tasks WHERE seq = ANY(given) AND seq <> ALL(free));
  END $$;

  CREATE OR REPLACE FUNCTION ${s}.without(rows json, seqs bigint[]) RETURNS json LANGUAGE sql IMMUTABLE AS $$
    SELECT json_agg(each) FROM json_array_elements(rows) AS each WHERE (each ->> 'seq')::bigint <> ALL(seqs)
  $$;

  -- As many held tasks of the key are in line again. Whoever calls this has the lock of the keys; but of the first that
  -- ever come with a key somebody else may, and then a heartbeat puts it right.
  CREATE OR REPLACE FUNCTION ${s}.release_key(of_queue text, key text, most bigint) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    IF NOT pg_try_advisory_xact_lock(${s}.keys_lock(of_queue)) THEN RETURN; END IF;
    UPDATE ${s}.tasks SET held = NULL WHERE seq IN (
      SELECT seq FROM ${s}.tasks WHERE queue = of_queue AND held = 'concurrencyKey' AND concurrency_key = key
        ORDER BY priority, rank, seq LIMIT most FOR UPDATE SKIP LOCKED);
  END $$;

  -- The progress of a busy task is left as it was: its row is in the hands of somebody else.
  CREATE OR REPLACE FUNCTION ${s}.note(notes json, busy bigint[]) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    UPDATE ${s}.tasks t SET progress = n.progress
      FROM json_to_recordset(notes) AS n(seq bigint, claim bigint, progress text)
      WHERE n.progress IS NOT NULL AND n.seq <> ALL(busy) AND t.seq = n.seq AND t.claim = n.claim AND t.worker IS NOT NULL;
    WITH lines AS (
      INSERT INTO ${s}.log (task, at, message)
        SELECT n.seq, line.at, line.message
        FROM json_to_recordset(notes) AS n(seq bigint, claim bigint, lines json)
        JOIN ${s}.tasks t ON t.seq = n.seq AND t.claim = n.claim AND t.worker IS NOT NULL
        CROSS JOIN json_to_recordset(n.lines) AS line(at bigint, message text)
        RETURNING task, id
    ), of_tasks AS (SELECT task, count(*) AS fresh FROM lines GROUP BY task)
    DELETE FROM ${s}.log USING of_tasks WHERE log.task = of_tasks.task AND log.id <= (
      SELECT id FROM ${s}.log kept WHERE kept.task = of_tasks.task
        ORDER BY id DESC OFFSET greatest(${linesKept} - fresh, 0) LIMIT 1); -- which sees the lines before these
  END $$;
`;
