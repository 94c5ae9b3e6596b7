import { quoteText } from '../names.js';

/**
 * What a transaction has to itself until its end. Whoever needs several takes them at once, in one order, and before any row:
 * so nobody waits in a circle.
 *
 * - that of the keys of a queue: who decides which tasks with a concurrency key begin;
 * - that of its rate: who counts how many may begin;
 * - that of its bound: who counts how many wait.
 */
export const locks = (s: string): string => {
  const numberOf = (what: string): string => `hashtextextended(${quoteText(`${s}.${what} `)} || of_queue, 0)`;
  return `
  CREATE OR REPLACE FUNCTION ${s}.keys_lock(of_queue text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT ${numberOf('keys')} $$;
  CREATE OR REPLACE FUNCTION ${s}.rate_lock(of_queue text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT ${numberOf('rate')} $$;
  CREATE OR REPLACE FUNCTION ${s}.bound_lock(of_queue text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT ${numberOf('bound')} $$;

  CREATE OR REPLACE FUNCTION ${s}.take_locks(numbers bigint[]) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    lock bigint;
  BEGIN
    FOR lock IN SELECT DISTINCT number FROM unnest(numbers) AS given(number) WHERE number IS NOT NULL ORDER BY number LOOP
      PERFORM pg_advisory_xact_lock(lock);
    END LOOP;
  END $$;

  -- Of all queues that have ever had a task with a concurrency key, or of one, if it has.
  CREATE OR REPLACE FUNCTION ${s}.take_keys_locks(of_queue text) RETURNS void LANGUAGE sql AS $$
    SELECT ${s}.take_locks(ARRAY(
      SELECT ${s}.keys_lock(name) FROM ${s}.queues WHERE keyed AND (of_queue IS NULL OR name = of_queue)))
  $$;
`;
};
