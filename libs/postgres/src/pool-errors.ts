import type { PostgresClient, PostgresPool } from './driver.js';

/**
 * Keeps connections that are lost while nobody uses them from ending the process, as the `error` event of a pool or of a client
 * does that nobody listens to. There is nothing else to do about it: whoever asks next gets another connection, or learns what
 * is wrong, and a statement that is under way rejects.
 *
 * @returns ends that, as if nobody had ever listened
 */
export function toleratePoolErrors(pool: PostgresPool): () => void {
  const clients = new Set<PostgresClient>();
  const onConnect = (client: PostgresClient): void => {
    clients.add(client);
    client.on('error', ignore);
  };
  const onRemove = (client: PostgresClient): void => void clients.delete(client);
  pool.on('error', ignore);
  pool.on('connect', onConnect); // those in the hands of graphile-worker, which makes its tables with the pool
  pool.on('remove', onRemove);
  return () => {
    pool.off('error', ignore);
    pool.off('connect', onConnect);
    pool.off('remove', onRemove);
    for (const client of clients) client.off('error', ignore);
  };
}

function ignore(): void {}
