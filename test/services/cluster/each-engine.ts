// What makes tests here is given its titles and bodies by the specs:
// oxlint-disable vitest/valid-title, vitest/valid-describe-callback
import { describe } from 'vitest';
import { redis } from '../bullmq/redis.js';
import { postgres } from '../postgres/postgres.js';
import { describeWithService } from '../service.js';
import { bullmqCluster } from './bullmq-cluster.js';
import { Cluster, longestMs, type ClusterOptions } from './cluster.js';
import type { ClusterEngine } from './cluster-store.js';
import { postgresCluster } from './postgres-cluster.js';

export interface EngineUnderTest {
  readonly name: ClusterEngine['name'];
  /** The server that all tests share. */
  readonly url: string;
  openCluster(options?: ClusterOptions): Promise<Cluster>;
}

const services = [
  { service: redis, engine: bullmqCluster },
  { service: postgres, engine: postgresCluster },
];

/** Describes what is the same on each engine; both at once, for they mostly wait. To be awaited at the top of a spec. */
export async function describeOnEachEngine(
  title: string,
  define: (engine: EngineUnderTest) => void,
): Promise<void> {
  for (const { service, engine } of services)
    await describeWithService(
      service,
      `${title}, on ${engine.name}`,
      (url) =>
        define({
          name: engine.name,
          url,
          openCluster: async (options) => new Cluster(await engine.createStore(url), options),
        }),
      (name, body) => describe.concurrent(name, { timeout: longestMs }, body),
    );
}
