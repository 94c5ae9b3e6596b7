import { endReasons } from '../end-reasons.js';
import { quoteText } from '../names.js';
import { keyAfter } from './settlement.js';

/** Far enough before all that waits by its number: ranks below 0 order those that have fallen due, by when they did. */
export const dueRankBase = 8_640_000_000_000_001;
/** How many tasks fall due or expire in one claim at most: the next one takes the rest. */
const sweptAtOnce = 1_000;
/** How many times one claim looks further when it has to pass over everything that comes first. */
const looksAtOnce = 20;

/** How long the work of a process waits for others before it looks who is in its way. */
const firstPatienceMs = 500;

/** How tasks that are next in line are taken out. */
export const claims = (s: string): string => `
  CREATE OR REPLACE FUNCTION ${s}.promote_due(of_queue text, now_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    IF NOT EXISTS (SELECT FROM ${s}.tasks WHERE queue = of_queue AND due_at <= now_ms) THEN RETURN; END IF;
    UPDATE ${s}.tasks SET state = 'waiting', due_at = NULL, rank = due_at - ${dueRankBase} WHERE seq IN (
      SELECT seq FROM ${s}.tasks WHERE queue = of_queue AND due_at <= now_ms
        ORDER BY due_at LIMIT ${sweptAtOnce} FOR UPDATE SKIP LOCKED);
  END $$;

  CREATE OR REPLACE FUNCTION ${s}.expire(of_queue text, now_ms bigint) RETURNS json LANGUAGE plpgsql AS $$
  DECLARE
    expired json;
    keyed record;
  BEGIN
    IF NOT EXISTS (SELECT FROM ${s}.tasks WHERE queue = of_queue AND expires_at <= now_ms AND ended_at IS NULL) THEN
      RETURN '[]';
    END IF;
    WITH rows AS (
      UPDATE ${s}.tasks SET state = 'expired', held = NULL, due_at = NULL, ended_at = now_ms,
          error = ${quoteText(endReasons.expired())}, dedup_key = ${keyAfter('now_ms')}
        WHERE seq IN (SELECT seq FROM ${s}.tasks WHERE queue = of_queue AND expires_at <= now_ms AND ended_at IS NULL
          LIMIT ${sweptAtOnce} FOR UPDATE SKIP LOCKED)
        RETURNING seq, nonce, name, expires_at - enqueued_at AS in_ms, concurrency_key
    )
    SELECT coalesce(json_agg(json_build_object('seq', seq, 'nonce', nonce, 'name', name, 'expiresInMs', in_ms,
      'key', concurrency_key)), '[]') INTO expired FROM rows;
    FOR keyed IN
      SELECT key, count(*) AS ended FROM json_to_recordset(expired) AS x(key text) WHERE key IS NOT NULL
        GROUP BY key ORDER BY key
    LOOP
      PERFORM ${s}.release_key(of_queue, keyed.key, keyed.ended);
    END LOOP;
    RETURN expired;
  END $$;

  -- How many may begin now, by the server's clock, which all processes share.
  CREATE OR REPLACE FUNCTION ${s}.rate_room(of_queue text, most bigint, per interval) RETURNS bigint LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock(${s}.rate_lock(of_queue)); -- which whoever claims has taken
    DELETE FROM ${s}.starts WHERE queue = of_queue AND at <= clock_timestamp() - per;
    RETURN greatest(0, most - (SELECT coalesce(sum(tasks), 0) FROM ${s}.starts WHERE queue = of_queue));
  END $$;

  -- Holds those of these tasks whose key has no room. Of a key whose tasks say different limits, one too many may be held,
  -- which is put right when one of the key ends. Whoever calls this has the lock of the keys.
  CREATE OR REPLACE FUNCTION ${s}.hold_keyed(of_queue text, candidates bigint[]) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    WITH places AS (
      SELECT seq, concurrency_key, concurrency_limit,
        row_number() OVER (PARTITION BY concurrency_key ORDER BY priority, rank, seq) AS place
      FROM ${s}.tasks WHERE seq = ANY(candidates) AND concurrency_key IS NOT NULL
    ), running AS (
      SELECT key, (SELECT count(*) FROM ${s}.tasks
        WHERE queue = of_queue AND concurrency_key = key AND state = 'active') AS tasks
      FROM (SELECT DISTINCT concurrency_key AS key FROM places) keys
    )
    UPDATE ${s}.tasks SET held = 'concurrencyKey'
      FROM places JOIN running ON running.key = places.concurrency_key
      WHERE tasks.seq = places.seq AND running.tasks + places.place > places.concurrency_limit;
  END $$;

  CREATE OR REPLACE FUNCTION ${s}.claim(request json) RETURNS json LANGUAGE plpgsql AS $$
  DECLARE
    r record;
    line record;
    expired json;
    unknown json;
    rows json;
    batches json[] := '{}';
    begun bigint := 0;
    begun_now bigint;
    parked jsonb := '{}';
    room bigint;
    wanted bigint;
    allowed bigint;
    looks int := 0;
    next_at bigint;
    allowed_in double precision;
  BEGIN
    SELECT * INTO r FROM json_to_record(request) AS x(queue text, worker bigint, places bigint, definitions text[],
      "nowMs" bigint, "rateMax" bigint, "ratePerMs" double precision, fence bigint);
    -- Who recovers the tasks of a worker waits until this claim is there to be recovered, or this finds it gone.
    PERFORM FROM ${s}.workers WHERE id = r.worker AND fence <= coalesce(r.fence, fence) FOR KEY SHARE;
    IF NOT FOUND THEN r.places := 0; END IF;
    PERFORM ${s}.promote_due(r.queue, r."nowMs");
    expired := ${s}.expire(r.queue, r."nowMs");
    room := CASE WHEN EXISTS (SELECT FROM ${s}.queues WHERE name = r.queue AND paused) THEN 0 ELSE r.places END;
    IF r."rateMax" IS NOT NULL AND room > 0 THEN
      allowed := ${s}.rate_room(r.queue, r."rateMax", r."ratePerMs" * interval '1 ms');
      room := least(room, allowed);
    END IF;
    -- What others have parked is in line again for those who have a handler.
    IF room > 0 AND EXISTS (SELECT FROM ${s}.tasks
        WHERE queue = r.queue AND held = 'noHandler' AND definition = ANY(r.definitions)) THEN
      UPDATE ${s}.tasks SET held = NULL WHERE seq IN (
        SELECT seq FROM ${s}.tasks WHERE queue = r.queue AND held = 'noHandler' AND definition = ANY(r.definitions)
          ORDER BY priority, rank, seq LIMIT room FOR UPDATE SKIP LOCKED);
    END IF;
    wanted := room;
    WHILE wanted > 0 LOOP
      looks := looks + 1;
      SELECT array_agg(seq) AS seqs, count(*) AS tasks, bool_or(definition <> ALL(r.definitions)) AS has_unknown,
          bool_or(concurrency_key IS NOT NULL) AS has_keyed
        INTO line FROM (
          SELECT seq, definition, concurrency_key FROM ${s}.tasks
          WHERE queue = r.queue AND state = 'waiting' AND held IS NULL
          ORDER BY priority, rank, seq LIMIT wanted FOR UPDATE SKIP LOCKED) line;
      EXIT WHEN line.tasks = 0;
      IF line.has_unknown THEN
        WITH held AS (
          UPDATE ${s}.tasks SET held = 'noHandler' WHERE seq = ANY(line.seqs) AND definition <> ALL(r.definitions)
            RETURNING definition
        ), sums AS (SELECT definition, count(*) AS tasks FROM held GROUP BY definition)
        SELECT json_object_agg(definition, tasks) INTO unknown FROM sums;
        parked := parked || coalesce(unknown::jsonb, '{}');
      END IF;
      IF line.has_keyed THEN
        -- The lock is taken already, but for the first that ever come with a key: whoever has it then claims those.
        IF pg_try_advisory_xact_lock(${s}.keys_lock(r.queue)) THEN PERFORM ${s}.hold_keyed(r.queue, line.seqs);
        ELSE line.seqs := ARRAY(SELECT seq FROM ${s}.tasks WHERE seq = ANY(line.seqs) AND concurrency_key IS NULL);
        END IF;
      END IF;
      WITH claimed AS (
        UPDATE ${s}.tasks SET state = 'active', claim = claim + 1, worker = r.worker, started_at = r."nowMs",
            expires_at = NULL
          WHERE seq = ANY(line.seqs) AND held IS NULL RETURNING *
      )
      SELECT json_agg(json_build_array(seq, nonce, claim, attempt, max_attempts, name, definition, payload, priority,
          enqueued_at, concurrency_key, options, tags, metadata, dedup_until) ORDER BY priority, rank, seq), count(*)
        INTO rows, begun_now FROM claimed;
      IF begun_now > 0 THEN batches := batches || rows; END IF;
      begun := begun + begun_now;
      EXIT WHEN line.tasks < wanted OR looks = ${looksAtOnce};
      wanted := wanted - begun_now;
    END LOOP;
    IF r."rateMax" IS NOT NULL AND begun > 0 THEN
      INSERT INTO ${s}.starts (queue, at, tasks) VALUES (r.queue, clock_timestamp(), begun);
    END IF;
    IF allowed IS NOT NULL AND begun = allowed THEN
      SELECT extract(epoch FROM min(at) - clock_timestamp()) * 1000 + r."ratePerMs" INTO allowed_in
        FROM ${s}.starts WHERE queue = r.queue;
    END IF;
    IF begun < r.places OR begun = 0 THEN
      SELECT least(
        (SELECT min(due_at) FROM ${s}.tasks WHERE queue = r.queue AND due_at IS NOT NULL),
        (SELECT min(expires_at) FROM ${s}.tasks WHERE queue = r.queue AND expires_at IS NOT NULL AND ended_at IS NULL),
        r."nowMs" + ceil(allowed_in)) INTO next_at;
    END IF;
    RETURN json_build_object('batches', to_json(batches), 'expired', expired, 'parked', parked, 'nextAtMs', next_at,
      'mayHaveMore', (begun = r.places OR looks = ${looksAtOnce}) AND r.places > 0);
  END $$;

  -- The locks that these claims need, if they are to bring anything. After a settlement nothing is known of that.
  CREATE OR REPLACE FUNCTION ${s}.locks_of_claims(requests json, settles boolean) RETURNS bigint[] LANGUAGE sql AS $$
    SELECT array_agg(CASE WHEN queues.keyed THEN ${s}.keys_lock(r.queue) END)
        || array_agg(CASE WHEN r."rateMax" IS NOT NULL THEN ${s}.rate_lock(r.queue) END)
      FROM json_array_elements(requests) AS request
        CROSS JOIN json_to_record(request) AS r(queue text, places bigint, "rateMax" bigint)
        LEFT JOIN ${s}.queues ON name = r.queue
      WHERE r.places > 0 AND (queues.keyed OR r."rateMax" IS NOT NULL)
        AND (settles OR ${s}.empty_claim(request) IS NULL)
  $$;

  -- 'careful' passes over rows that somebody else has changed in a transaction that is still open, and names them.
  CREATE OR REPLACE FUNCTION ${s}.work(kept json, gone json, keyed json, notes json, requests json, careful boolean)
    RETURNS json LANGUAGE plpgsql
    SET enable_seqscan = off SET lock_timeout = '${firstPatienceMs}ms' AS $$
  DECLARE
    settled bigint[];
    busy bigint[];
    request json;
    claimed json;
    answers json[] := '{}';
  BEGIN
    IF careful THEN PERFORM set_config('lock_timeout', '2s', true); END IF;
    PERFORM ${s}.take_locks(
      ARRAY(SELECT ${s}.keys_lock(queue) FROM json_to_recordset(keyed) AS x(queue text))
        || ${s}.locks_of_claims(requests, kept IS NOT NULL OR gone IS NOT NULL));
    IF careful THEN
      busy := ${s}.busy_among(kept, gone, notes);
      kept := ${s}.without(kept, busy);
      gone := ${s}.without(gone, busy);
    END IF;
    IF notes IS NOT NULL THEN PERFORM ${s}.note(notes, coalesce(busy, '{}')); END IF;
    settled := ${s}.settle(kept, gone, keyed);
    FOR request IN SELECT json_array_elements(requests) LOOP
      claimed := coalesce(${s}.empty_claim(request), ${s}.claim(request));
      answers := answers || claimed;
    END LOOP;
    RETURN json_build_object('settled', coalesce(settled, '{}'), 'busy', coalesce(busy, '{}'), 'claims', to_json(answers));
  END $$;
`;
