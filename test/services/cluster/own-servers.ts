// What makes tests here is given its titles and bodies by the specs:
// oxlint-disable vitest/valid-title, vitest/valid-describe-callback
import { execFileSync } from 'node:child_process';
import { describe } from 'vitest';
import { findPostgresPrograms, PostgresServer } from '../../../bench/postgres-server.js';
import { RedisServer } from '../../../bench/redis-server.js';
import { describeUnlessMissing } from '../service.js';
import { bullmqCluster } from './bullmq-cluster.js';
import { longestMs } from './cluster.js';
import type { ClusterEngine } from './cluster-store.js';
import { postgresCluster } from './postgres-cluster.js';

/** A server that belongs to one test, which may stop and start it. Is gone when it is disposed. */
export interface OwnServer extends AsyncDisposable {
  readonly url: string;
  start(): Promise<boolean>;
  stop(signal: NodeJS.Signals): Promise<void>;
}

export interface OwnEngine {
  readonly engine: ClusterEngine;
  openServer(): Promise<OwnServer>;
  /** How it is told to stop at once, in order; and how it crashes. */
  readonly signals: { readonly stop: NodeJS.Signals; readonly crash: NodeJS.Signals };
  /** The code of what an enqueue rejects with while it is away. */
  readonly unreachable: string;
}

/** Of one server. */
const mostConnections = 60;

const programs = await findPostgresPrograms();

const servers: readonly (OwnEngine & { readonly missing: string | undefined })[] = [
  {
    engine: bullmqCluster,
    missing: hasRedis() ? undefined : 'No `redis-server` on the PATH. Install Redis 7 or Valkey there.',
    openServer: async () => (await RedisServer.open())!,
    signals: { stop: 'SIGTERM', crash: 'SIGKILL' },
    unreachable: 'REDIS_UNREACHABLE',
  },
  {
    engine: postgresCluster,
    missing:
      programs === undefined
        ? 'No `initdb` and `postgres` to start a server with. Install PostgreSQL, or say in NIGHTSHIFT_POSTGRES_BIN in which directory they are.'
        : undefined,
    openServer: () => PostgresServer.open(programs!, mostConnections),
    signals: { stop: 'SIGINT', crash: 'SIGQUIT' },
    unreachable: 'POSTGRES_UNREACHABLE',
  },
];

/** Describes what a test does to a server of its own, for each engine; both at once. */
export function describeOnOwnServers(title: string, define: (own: OwnEngine) => void): void {
  for (const { missing, ...own } of servers)
    describeUnlessMissing(
      missing,
      `${title}, on ${own.engine.name}`,
      () => define(own),
      (name, body) => describe.concurrent(name, { timeout: longestMs }, body),
    );
}

function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
