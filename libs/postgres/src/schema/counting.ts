import { quoteText } from '../names.js';

/**
 * Keeps `counts` with every statement that changes tasks, whoever makes it. Held tasks are counted once more, as if that
 * were a state.
 */
export const counting = (s: string): string => `
  CREATE OR REPLACE FUNCTION ${s}.count_added() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO ${s}.counts (queue, state, tasks) SELECT queue, state, count(*) FROM fresh GROUP BY queue, state;
    RETURN NULL;
  END $$;

  CREATE OR REPLACE FUNCTION ${s}.count_changed() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO ${s}.counts (queue, state, tasks)
      SELECT queue, state, sum(change) FROM (
        SELECT queue, state, 1 AS change FROM fresh
        UNION ALL SELECT queue, state, -1 FROM stale
        UNION ALL SELECT queue, 'held', 1 FROM fresh WHERE held IS NOT NULL
        UNION ALL SELECT queue, 'held', -1 FROM stale WHERE held IS NOT NULL
      ) changes GROUP BY queue, state HAVING sum(change) <> 0;
    RETURN NULL;
  END $$;

  CREATE OR REPLACE FUNCTION ${s}.count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO ${s}.counts (queue, state, tasks)
      SELECT queue, state, -count(*) FROM stale GROUP BY queue, state
      UNION ALL SELECT queue, 'held', -count(*) FROM stale WHERE held IS NOT NULL GROUP BY queue;
    RETURN NULL;
  END $$;

  DROP TRIGGER IF EXISTS count_added ON ${s}.tasks;
  CREATE TRIGGER count_added AFTER INSERT ON ${s}.tasks
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ${s}.count_added();
  DROP TRIGGER IF EXISTS count_changed ON ${s}.tasks;
  CREATE TRIGGER count_changed AFTER UPDATE ON ${s}.tasks
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ${s}.count_changed();
  DROP TRIGGER IF EXISTS count_removed ON ${s}.tasks;
  CREATE TRIGGER count_removed AFTER DELETE ON ${s}.tasks
    REFERENCING OLD TABLE AS stale FOR EACH STATEMENT EXECUTE FUNCTION ${s}.count_removed();

  -- Sums the changes up, so that there are few of them. What others are adding meanwhile stays as it is.
  CREATE OR REPLACE FUNCTION ${s}.fold_counts() RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(${quoteText(`${s}.counts`)}, 0)) THEN RETURN; END IF;
    WITH changes AS (DELETE FROM ${s}.counts RETURNING queue, state, tasks)
    INSERT INTO ${s}.counts (queue, state, tasks)
      SELECT queue, state, sum(tasks) FROM changes GROUP BY queue, state;
  END $$;
`;
