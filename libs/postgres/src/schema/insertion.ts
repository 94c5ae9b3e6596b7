import { endReasons } from '../end-reasons.js';
import { quoteText } from '../names.js';

/** How tasks come in: many plain ones at once, or one by one with all that may have to be decided. */
export const insertion = (s: string): string => `
  CREATE OR REPLACE FUNCTION ${s}.add_plain(tasks json) RETURNS bigint[] LANGUAGE plpgsql AS $$
  DECLARE
    added bigint[];
  BEGIN
    WITH rows AS (
      INSERT INTO ${s}.tasks
        (nonce, queue, name, definition, payload, state, priority, max_attempts, enqueued_at, options, tags, metadata)
      SELECT t.nonce, t.queue, t.name, t.definition, t.payload, 'waiting', t.priority, t."maxAttempts", t."enqueuedAtMs",
        t.options, t.tags, t.metadata
      FROM json_to_recordset(tasks) AS t(nonce text, queue text, name text, definition text, payload text,
        priority bigint, "maxAttempts" bigint, "enqueuedAtMs" bigint, options text, tags text[], metadata text)
      RETURNING seq
    )
    SELECT array_agg(seq ORDER BY seq) INTO added FROM rows; -- numbers are given in the order in which the rows come
    RETURN added;
  END $$;

  CREATE OR REPLACE FUNCTION ${s}.count_waiting(of_queue text, most bigint) RETURNS bigint LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM (SELECT FROM ${s}.tasks WHERE queue = of_queue AND state = 'waiting' AND held IS NULL
        LIMIT most) ready)
      + (SELECT count(*) FROM (SELECT FROM ${s}.tasks WHERE queue = of_queue AND held = 'noHandler' LIMIT most) parked)
      + (SELECT count(*) FROM (SELECT FROM ${s}.tasks WHERE queue = of_queue AND held = 'concurrencyKey' LIMIT most) held)
  $$;

  -- Neither waits for anybody nor fails while others enqueue, but for those who are adding the very same key just now.
  CREATE OR REPLACE FUNCTION ${s}.add_task(task json) RETURNS json LANGUAGE plpgsql AS $$
  DECLARE
    t record;
    twin ${s}.tasks;
    replaced json;
    dropped json := '[]';
    added bigint;
    initial text;
    is_full boolean := false;
  BEGIN
    SELECT * INTO t FROM json_to_record(task) AS x(nonce text, queue text, name text, definition text, payload text,
      priority bigint, "maxAttempts" bigint, "enqueuedAtMs" bigint, options text, tags text[], metadata text,
      "dueAtMs" bigint, "expiresAtMs" bigint, key text, "untilMs" bigint, "onConflict" text, "concurrencyKey" text,
      "concurrencyLimit" bigint, "longKeys" text, capacity bigint, "fullMode" text, "isBoundExact" boolean, channel text);
    IF t.channel IS NOT NULL THEN PERFORM pg_notify(t.channel, ''); END IF;
    IF t."isBoundExact" AND t.capacity IS NOT NULL AND t."dueAtMs" IS NULL THEN
      PERFORM pg_advisory_xact_lock(hashtextextended(${quoteText(`${s}.bound `)} || t.queue, 0));
    END IF;
    LOOP
      twin := NULL;
      IF t.key IS NOT NULL THEN
        SELECT * INTO twin FROM ${s}.tasks WHERE queue = t.queue AND dedup_key = t.key;
        IF twin.ended_at IS NOT NULL AND coalesce(twin.dedup_until, 0) <= t."enqueuedAtMs" THEN
          UPDATE ${s}.tasks SET dedup_key = NULL, dedup_until = NULL WHERE seq = twin.seq;
          twin := NULL;
        ELSIF twin.seq IS NOT NULL AND t."onConflict" <> 'replace' THEN
          RETURN json_build_object('kind', 'duplicate', 'seq', twin.seq, 'nonce', twin.nonce, 'name', twin.name);
        END IF;
      END IF;
      IF t.capacity IS NOT NULL AND t."dueAtMs" IS NULL THEN
        is_full := ${s}.count_waiting(t.queue, t.capacity + 1) - (twin.state IS NOT DISTINCT FROM 'waiting')::int
          >= t.capacity;
        IF is_full AND t."fullMode" = 'wait' THEN RETURN json_build_object('kind', 'full'); END IF;
      END IF;
      -- The first stays as long as the second is not there to take its place.
      IF twin.seq IS NOT NULL AND NOT (is_full AND t."fullMode" = 'dropWrite') THEN
        UPDATE ${s}.tasks SET dedup_key = NULL, dedup_until = NULL WHERE seq = twin.seq;
        UPDATE ${s}.tasks SET state = 'discarded', held = NULL, due_at = NULL, expires_at = NULL,
            ended_at = t."enqueuedAtMs", error = ${quoteText(endReasons.replaced())}
          WHERE seq = twin.seq AND state IN ('waiting', 'scheduled', 'retrying')
          RETURNING json_build_object('seq', seq, 'nonce', nonce, 'name', name) INTO replaced;
      END IF;
      initial := CASE WHEN is_full AND t."fullMode" = 'dropWrite' THEN 'discarded'
        WHEN t."dueAtMs" IS NOT NULL THEN 'scheduled' ELSE 'waiting' END;
      INSERT INTO ${s}.tasks (nonce, queue, name, definition, payload, state, priority, max_attempts, enqueued_at, options,
          tags, metadata, due_at, expires_at, dedup_key, dedup_until, concurrency_key, concurrency_limit, long_keys,
          ended_at, error)
        SELECT t.nonce, t.queue, t.name, t.definition, t.payload, initial, t.priority, t."maxAttempts", t."enqueuedAtMs",
          t.options, t.tags, t.metadata, t."dueAtMs", CASE WHEN initial <> 'discarded' THEN t."expiresAtMs" END,
          CASE WHEN initial <> 'discarded' THEN t.key END, t."untilMs", t."concurrencyKey", t."concurrencyLimit", t."longKeys",
          CASE WHEN initial = 'discarded' THEN t."enqueuedAtMs" END,
          CASE WHEN initial = 'discarded' THEN ${quoteText(endReasons.dropped('dropWrite'))} END
        ON CONFLICT (queue, dedup_key) WHERE dedup_key IS NOT NULL DO NOTHING
        RETURNING seq INTO added;
      EXIT WHEN added IS NOT NULL; -- otherwise somebody has added one with the key meanwhile: it is the twin now
    END LOOP;
    IF initial = 'discarded' THEN RETURN json_build_object('kind', 'dropped', 'seq', added); END IF;
    IF is_full THEN
      WITH victim AS (
        SELECT seq FROM ${s}.tasks WHERE queue = t.queue AND state = 'waiting' AND seq <> added
          ORDER BY CASE t."fullMode" WHEN 'dropOldest' THEN seq ELSE -seq END LIMIT 1 FOR UPDATE SKIP LOCKED
      ), gone AS (
        UPDATE ${s}.tasks SET state = 'discarded', held = NULL, due_at = NULL, expires_at = NULL, dedup_key = NULL,
            dedup_until = NULL, ended_at = t."enqueuedAtMs", error = CASE t."fullMode"
              WHEN 'dropOldest' THEN ${quoteText(endReasons.dropped('dropOldest'))}
              ELSE ${quoteText(endReasons.dropped('dropNewest'))} END
          FROM victim WHERE tasks.seq = victim.seq RETURNING tasks.seq, tasks.nonce, tasks.name
      )
      SELECT coalesce(json_agg(json_build_object('seq', seq, 'nonce', nonce, 'name', name)), '[]') INTO dropped FROM gone;
    END IF;
    RETURN json_build_object('kind', 'added', 'seq', added, 'dropped', dropped, 'replaced', replaced);
  END $$;
`;
