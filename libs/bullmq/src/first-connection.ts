import type { IRedisClient, RedisConnection } from 'bullmq';
import type { EngineDependencies } from 'nestjs-nightshift';
import type { ResolvedBullmqOptions } from './bullmq.options.js';
import type { Bullmq } from './bullmq-module.js';
import { endClient } from './end-client.js';
import { BullmqMissingError, RedisRefusedError, RedisUnreachableError } from './errors.js';
import { late, withinTime } from './time-limit.js';

export interface FirstConnection {
  readonly connection: RedisConnection;
  readonly client: IRedisClient;
  readonly lastError: unknown;
}

/**
 * The first connection, for which the start of the application waits: until it is there, `patience` is over, or the server says
 * something that it would say again.
 *
 * @throws BullmqMissingError, RedisRefusedError, RedisUnreachableError
 */
export async function firstConnection(
  bullmq: Bullmq,
  options: ResolvedBullmqOptions,
  { clock }: EngineDependencies,
): Promise<FirstConnection> {
  const { server, patienceMs, isOwnClient } = options;
  if (isOwnClient) beginToConnect(options.connection);
  const connection = new bullmq.RedisConnection(options.connection as never, {
    shared: isOwnClient,
    blocking: false,
  });
  let lastError: unknown;
  const refused = new Promise<never>((_, reject) => {
    connection.on('error', (error: unknown) => {
      lastError = error;
      if (isRefusal(error)) reject(error);
    });
  });
  try {
    const client = await withinTime(Promise.race([connection.client, refused]), patienceMs, clock);
    if (client === late)
      throw new RedisUnreachableError(server, patienceMs, 'the start', { cause: lastError });
    return { connection, client: client as IRedisClient, lastError };
  } catch (error) {
    await end(connection, isOwnClient);
    if (error instanceof RedisUnreachableError) throw error;
    if (String(error).includes("'ioredis'")) throw new BullmqMissingError({ cause: error });
    throw new RedisRefusedError(server, { cause: error });
  }
}

/** What a server answers that will not change by itself; ioredis tries again all the same, or goes on without. */
const refusal = /\b(NOAUTH|WRONGPASS|NOPERM|DENIED)\b|DB index|SELECT is not allowed/;

function isRefusal(error: unknown): boolean {
  return error instanceof Error && refusal.test(error.message);
}

/** One that waits to be used does not try again when BullMQ has it connect. */
function beginToConnect(client: unknown): void {
  const { status, connect } = client as { status?: string; connect(): Promise<void> };
  if (status === 'wait') connect.call(client).catch(() => {}); // told as an event, and tried again
}

async function end(connection: RedisConnection, isOwnClient: boolean): Promise<void> {
  await connection.close(true).catch(() => {});
  // BullMQ's own name for it: there is no other way to a client that was never ready.
  const client = Reflect.get(connection, '_client') as unknown;
  if (!isOwnClient && client !== undefined) endClient(client);
}
