import type { BackgroundEngine } from 'nestjs-nightshift';
import { bullmqEngine } from 'nestjs-nightshift/bullmq';
import { postgresEngine } from 'nestjs-nightshift/postgres';
import { sqliteEngine } from 'nestjs-nightshift/sqlite';
import type { ShopConfig } from '../shop.config.js';

/**
 * Where tasks are kept: in a file, in Redis, in PostgreSQL, or (`undefined`) in memory. The rest of the shop is the same.
 *
 * @throws when more than one is said, or the role needs one and none is
 */
export function chooseEngine(config: ShopConfig): BackgroundEngine | undefined {
  const { name, role, nightShiftFile: file, redisUrl, databaseUrl: connectionString } = config;
  const engines = new Map([
    ['NIGHTSHIFT_FILE', file && sqliteEngine({ file })],
    ['REDIS_URL', redisUrl && bullmqEngine({ connection: redisUrl, prefix: name })],
    [
      'DATABASE_URL',
      connectionString && postgresEngine({ connectionString, schema: name, graphile: 'none' }),
    ],
  ]);
  const chosen = [...engines].filter(([, engine]) => engine);
  if (chosen.length > 1)
    throw new Error(`Tasks are kept in one place: choose one of ${chosen.map(([key]) => key).join(', ')}.`);
  if (chosen.length === 0 && role !== 'all')
    throw new Error(
      `NIGHTSHIFT_ROLE=${role} needs tasks that other processes see: set one of ${[...engines.keys()].join(', ')}.`,
    );
  return chosen[0]?.[1] || undefined;
}
