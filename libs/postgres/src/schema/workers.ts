import { endReasons } from '../end-reasons.js';
import { attemptsWith, keyAfter } from './settlement.js';

/** The processes that run tasks: who is alive, and what the dead have left. */
export const workers = (s: string): string => `
  CREATE OR REPLACE FUNCTION ${s}.look(of_worker bigint) RETURNS json LANGUAGE sql AS $$
    SELECT json_build_object(
      'releases', (SELECT releases FROM ${s}.version),
      'pausedQueues', (SELECT coalesce(json_agg(name), '[]') FROM ${s}.queues WHERE paused),
      'cancellations', (SELECT coalesce(json_agg(json_build_object('queue', queue, 'seq', seq, 'nonce', nonce,
          'error', cancellation)), '[]')
        FROM ${s}.tasks WHERE state = 'active' AND worker = of_worker AND cancellation IS NOT NULL))
  $$;

  CREATE OR REPLACE FUNCTION ${s}.beat(of_worker bigint) RETURNS json LANGUAGE plpgsql AS $$
  DECLARE
    is_known boolean;
    stuck json;
  BEGIN
    -- What no end of a task has released, because it came between two transactions. Of those alone: everybody does this.
    SELECT json_agg(each) INTO stuck FROM (
      SELECT queue, concurrency_key AS key FROM ${s}.tasks t WHERE held = 'concurrencyKey' GROUP BY queue, concurrency_key
        HAVING max(concurrency_limit) > (SELECT count(*) FROM ${s}.tasks a
          WHERE a.queue = t.queue AND a.concurrency_key = t.concurrency_key AND a.state = 'active')
        ORDER BY 1, 2 LIMIT 1000) each;
    IF stuck IS NOT NULL THEN
      PERFORM ${s}.take_locks(ARRAY(SELECT ${s}.keys_lock(queue) FROM json_to_recordset(stuck) AS x(queue text)));
      PERFORM ${s}.release_key(queue, key, 1) FROM json_to_recordset(stuck) AS x(queue text, key text);
    END IF;
    UPDATE ${s}.workers SET beat = beat + 1 WHERE id = of_worker;
    is_known := FOUND;
    PERFORM ${s}.fold_counts();
    RETURN json_build_object('isKnown', is_known, 'workers', (SELECT json_agg(json_build_object(
      'worker', id, 'beat', beat, 'process', process)) FROM ${s}.workers), 'look', ${s}.look(of_worker));
  END $$;

  CREATE OR REPLACE FUNCTION ${s}.recover(dead bigint[], now_ms bigint, most bigint) RETURNS json LANGUAGE plpgsql AS $$
  DECLARE
    gone bigint[];
    back json;
    occurrences bigint;
    keyed record;
  BEGIN
    PERFORM ${s}.take_keys_locks(NULL);
    -- Whoever deletes a worker has its tasks; others who want to wait here, and then find nothing.
    WITH rows AS (DELETE FROM ${s}.workers WHERE id = ANY(dead) RETURNING id) SELECT array_agg(id) INTO gone FROM rows;
    IF gone IS NULL THEN RETURN json_build_object('tasks', '[]'::json, 'occurrences', 0); END IF;
    WITH ends AS (
      SELECT seq, CASE WHEN interruptions >= most THEN 'dead' WHEN cancellation IS NOT NULL THEN 'cancelled'
          ELSE 'waiting' END AS state,
        jsonb_build_object('attempt', attempt, 'outcome', 'interrupted', 'startedAtMs', started_at,
          'endedAtMs', now_ms) AS attempt
      FROM ${s}.tasks WHERE state = 'active' AND worker = ANY(gone) FOR UPDATE
    ), rows AS (
      UPDATE ${s}.tasks t SET state = e.state, worker = NULL, interruptions = interruptions + 1,
        ended_at = CASE WHEN e.state <> 'waiting' THEN now_ms END,
        error = CASE e.state WHEN 'dead' THEN ${endReasons.interruptedIn('interruptions + 1')}
          WHEN 'cancelled' THEN cancellation ELSE error END,
        cancellation = NULL,
        dedup_key = CASE WHEN e.state = 'waiting' THEN dedup_key ELSE ${keyAfter('now_ms')} END,
        attempts = ${attemptsWith('e.attempt')}
      FROM ends e WHERE t.seq = e.seq
      RETURNING t.seq, t.nonce, t.queue, t.name, t.state = 'dead' AS is_dead, t.concurrency_key
    )
    SELECT coalesce(json_agg(json_build_object('seq', seq, 'nonce', nonce, 'queue', queue, 'name', name,
      'isDead', is_dead, 'key', concurrency_key)), '[]') INTO back FROM rows;
    FOR keyed IN
      SELECT queue, key, count(*) AS ended FROM json_to_recordset(back) AS x(queue text, key text)
        WHERE key IS NOT NULL GROUP BY queue, key ORDER BY queue, key
    LOOP
      PERFORM ${s}.release_key(keyed.queue, keyed.key, keyed.ended);
    END LOOP;
    occurrences := ${s}.release_occurrences(NULL, NULL, gone);
    RETURN json_build_object('tasks', back, 'occurrences', occurrences);
  END $$;

  -- The occurrence before is the latest again, as far as it is known. @returns how many were given back
  CREATE OR REPLACE FUNCTION ${s}.release_occurrences(of_service text, at_ms bigint, of_workers bigint[]) RETURNS bigint
    LANGUAGE plpgsql AS $$
  DECLARE
    given bigint;
  BEGIN
    WITH which AS (
      SELECT service FROM ${s}.occurrences WHERE worker = ANY(of_workers)
        AND (of_service IS NULL OR (service = of_service AND due_at = at_ms)) FOR UPDATE
    ), first AS (
      DELETE FROM ${s}.occurrences o USING which WHERE o.service = which.service AND o.previous IS NULL RETURNING 1
    ), others AS (
      UPDATE ${s}.occurrences o SET worker = NULL, due_at = previous FROM which
        WHERE o.service = which.service AND o.previous IS NOT NULL RETURNING 1
    )
    SELECT (SELECT count(*) FROM first) + (SELECT count(*) FROM others) INTO given;
    IF given > 0 THEN UPDATE ${s}.version SET releases = releases + 1; END IF;
    RETURN given;
  END $$;
`;
