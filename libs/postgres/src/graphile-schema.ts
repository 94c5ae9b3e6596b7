import type { Database } from './database.js';
import { loadGraphileWorker, type PostgresPool } from './driver.js';
import { codeOf, GraphilePermissionError } from './errors.js';

interface Roles {
  readonly owner: string;
  readonly role: string;
}

/**
 * Makes the tables and functions of graphile-worker, or brings them up to date, and sees whether jobs can be taken out of them.
 *
 * @throws GraphileWorkerMissingError, GraphilePermissionError
 */
export async function prepareGraphileSchema(
  database: Database,
  pool: PostgresPool,
  schema: string,
): Promise<void> {
  const { runMigrations, Logger } = await loadGraphileWorker();
  // It would print. What it has to say that matters it throws, or shows when the first job is taken over.
  const logger = new Logger(() => () => {});
  await database.alone(`graphile ${schema}`, async () => {
    try {
      await runMigrations({ pgPool: pool, schema, logger });
    } catch (error) {
      throw explainGraphile(error, schema);
    }
  });
  const [roles] = await database.query<Roles>(outOfReach, [schema]);
  if (roles !== undefined) throw new GraphilePermissionError(schema, roles);
}

/** The error of the server where a permission for this schema is missing, and not for ours; any other error as it is. */
export function explainGraphile(error: unknown, schema: string): unknown {
  return codeOf(error) === '42501' ? new GraphilePermissionError(schema, undefined, { cause: error }) : error;
}

/**
 * Whether the jobs are out of reach: row level security hides them, without an error, from all who neither own the table nor
 * have a policy of their own. This is the only thing here that looks behind what graphile-worker documents; if its table is
 * ever called otherwise, nothing is found.
 */
const outOfReach = `
  SELECT pg_get_userbyid(relowner)::text AS owner, current_user::text AS role
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE nspname = $1 AND relname = '_private_jobs' AND row_security_active(pg_class.oid)
    AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid)`;
