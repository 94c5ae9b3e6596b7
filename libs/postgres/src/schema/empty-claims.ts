/**
 * What most claims of many idle workers are: they hear of a task that another one has already. This finds it out without
 * writing anything, so that they neither wait for the disk nor for each other.
 */
export const emptyClaims = (s: string): string => `
  -- The answer to a claim that would bring nothing; NULL when there may be something.
  CREATE OR REPLACE FUNCTION ${s}.empty_claim(request json) RETURNS json LANGUAGE plpgsql AS $$
  DECLARE
    r record;
    next_at bigint;
  BEGIN
    SELECT * INTO r FROM json_to_record(request) AS x(queue text, places bigint, definitions text[], "nowMs" bigint);
    IF r.places > 0 AND (
      EXISTS (SELECT FROM ${s}.tasks WHERE queue = r.queue AND state = 'waiting' AND held IS NULL)
      OR EXISTS (SELECT FROM ${s}.tasks WHERE queue = r.queue AND held = 'noHandler' AND definition = ANY(r.definitions))
    ) THEN RETURN NULL; END IF;
    SELECT least(
      (SELECT min(due_at) FROM ${s}.tasks WHERE queue = r.queue AND due_at IS NOT NULL),
      (SELECT min(expires_at) FROM ${s}.tasks WHERE queue = r.queue AND expires_at IS NOT NULL AND ended_at IS NULL)
    ) INTO next_at;
    IF next_at <= r."nowMs" THEN RETURN NULL; END IF;
    RETURN json_build_object('batches', '[]'::json, 'expired', '[]'::json, 'parked', '{}'::json, 'nextAtMs', next_at,
      'mayHaveMore', false);
  END $$;
`;
