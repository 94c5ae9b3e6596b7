import { NightshiftError } from 'nestjs-nightshift/channels';

/** BullMQ, or the Redis client that it needs, is not there to load. */
export class BullmqMissingError extends NightshiftError {
  readonly code = 'BULLMQ_MISSING';

  constructor(options?: ErrorOptions) {
    super(
      'bullmqEngine() needs the packages bullmq (6.7 or newer) and ioredis (5 or newer), and one of them cannot be loaded: ' +
        'see `cause`. Run: npm install bullmq ioredis',
      options,
    );
  }
}

/** The base of what goes wrong with the server. */
export abstract class RedisServerError extends NightshiftError {
  constructor(
    /** Where it is, without a password. */
    readonly server: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The server did not answer in time. */
export class RedisUnreachableError extends RedisServerError {
  readonly code = 'REDIS_UNREACHABLE';

  constructor(server: string, waitedMs: number, during: string, options?: ErrorOptions) {
    super(
      server,
      `Redis at ${server} did not answer within ${waitedMs} ms (${during}). Is it running, and reachable from here with this ` +
        'host, port, password and TLS setting? What was under way may have been done or not; `patience` says how long to wait.',
      options,
    );
  }
}

/** The connection broke. It is made again as soon as that is possible. */
export class RedisConnectionLostError extends RedisServerError {
  readonly code = 'REDIS_CONNECTION_LOST';

  constructor(server: string, options?: ErrorOptions) {
    super(
      server,
      `The connection to Redis at ${server} was lost. It is made again as soon as the server can be reached; until then ` +
        'whatever needs it waits for `patience`. What was under way may have been done or not.',
      options?.cause === undefined ? undefined : options,
    );
  }
}

/** The server is too old. */
export class RedisVersionError extends RedisServerError {
  readonly code = 'REDIS_TOO_OLD';

  constructor(
    server: string,
    readonly found: string,
    readonly needed: string,
  ) {
    super(
      server,
      `Redis at ${server} has version ${found}, and ${needed} or newer is needed. Valkey of any version will do too.`,
    );
  }
}

/** The server refuses what this engine needs: a password, a permission, a command, a database. */
export class RedisRefusedError extends RedisServerError {
  readonly code = 'REDIS_REFUSED';

  constructor(server: string, options: { readonly cause: unknown }) {
    const { cause } = options;
    const said = cause instanceof Error ? cause.message : String(cause);
    super(
      server,
      `Redis at ${server} refused what this engine needs: ${said.replace(/\.$/, '')}. ${hint(said)}`,
      options,
    );
  }
}

/** What to do about what a server said. */
function hint(said: string): string {
  if (/DB index|SELECT/.test(said)) return 'Look at the number of the database in `connection`.';
  if (said.includes('READONLY')) return 'It is a replica: connect to the primary.';
  return 'Look at the user name and password in `connection`, and at what that user may do: all keys under `prefix`, and scripts.';
}
