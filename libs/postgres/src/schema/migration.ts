import type { PostgresConnection } from '../driver.js';
import { codeOf, PostgresNewerVersionError, PostgresSchemaTakenError } from '../errors.js';
import { quoteName, quoteText } from '../names.js';
import { claims } from './claims.js';
import { counting } from './counting.js';
import { emptyClaims } from './empty-claims.js';
import { insertion } from './insertion.js';
import { locks } from './locks.js';
import { settlement } from './settlement.js';
import { tableVersions } from './tables.js';
import { workers } from './workers.js';

/** The functions of this release: made anew with every version, so a change of one needs a version too, if an empty one. */
const functions = [locks, counting, insertion, settlement, emptyClaims, claims, workers] as const;

/** The version of the tables and functions that this release makes. */
export const schemaVersion = tableVersions.length;

/**
 * Makes the tables and functions, or brings them up to date, in one transaction. Of several processes that start at once
 * one does it, and the others wait.
 *
 * @throws PostgresNewerVersionError when a newer release has been there
 * @throws PostgresSchemaTakenError when there are tables or functions of somebody else's
 */
export async function migrate(connection: PostgresConnection, schema: string): Promise<void> {
  if ((await versionOf(connection, schema)) === schemaVersion) return;
  const s = quoteName(schema);
  await connection.query('BEGIN');
  try {
    await connection.query(
      `SELECT pg_advisory_xact_lock(hashtextextended(${quoteText(`nightshift schema ${schema}`)}, 0))`,
    );
    const version = await versionOf(connection, schema);
    if (version > schemaVersion) throw new PostgresNewerVersionError(schema, version, schemaVersion);
    if (version < schemaVersion) {
      const begin =
        version > 0
          ? ''
          : `CREATE SCHEMA IF NOT EXISTS ${s};
             CREATE TABLE ${s}.version (version int NOT NULL, releases bigint NOT NULL DEFAULT 0);
             INSERT INTO ${s}.version (version) VALUES (0);`;
      const steps = [...tableVersions.slice(version), ...functions].map((step) => step(s));
      if (version === 0) await makeAll(connection, schema, [begin, ...steps].join('\n'));
      else await connection.query(steps.join('\n'));
      await connection.query(`UPDATE ${s}.version SET version = ${schemaVersion}`);
    }
    await connection.query('COMMIT');
  } catch (error) {
    await connection.query('ROLLBACK').catch(() => {}); // the connection may be what has failed
    throw error;
  }
}

/** Makes what is not there yet, and replaces nothing. */
async function makeAll(connection: PostgresConnection, schema: string, script: string): Promise<void> {
  try {
    await connection.query(script.replaceAll('CREATE OR REPLACE FUNCTION', 'CREATE FUNCTION'));
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new PostgresSchemaTakenError(schema, 'a table or a function, see `cause`', { cause: error });
  }
}

/** A table, or something else with columns; a function; another object. */
function isTaken(error: unknown): boolean {
  return ['42P07', '42723', '42710'].includes(codeOf(error) as string);
}

/** 0 when there are no tables yet. */
async function versionOf(connection: PostgresConnection, schema: string): Promise<number> {
  // Asked of the catalog itself: what `to_regclass()` remembers from before the lock was given may not be so any more.
  const found = await connection.query(
    `SELECT (SELECT count(*) FROM pg_catalog.pg_attribute a
       WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname IN ('version', 'releases')) = 2 AS is_ours
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = 'version'`,
    [schema],
  );
  if (found.rows.length === 0) return 0;
  if (!(found.rows[0] as { is_ours: boolean }).is_ours)
    throw new PostgresSchemaTakenError(schema, "something by the name 'version'");
  const { rows } = await connection.query(`SELECT version FROM ${quoteName(schema)}.version`);
  return (rows[0] as { version: number } | undefined)?.version ?? 0;
}
