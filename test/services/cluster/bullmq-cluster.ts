import { Redis } from 'ioredis';
import { freshPrefix, removeKeys } from '../bullmq/redis.js';
import type { SharedEngine } from './apps/shared-engine.js';
import type { ClusterEngine, ClusterStore, StoreReport } from './cluster-store.js';

const queue = 'default';
/** More than BullMQ keeps of its events unless it is told otherwise. */
const eventsAtOnce = 100_000;

export const bullmqCluster: ClusterEngine = {
  name: 'BullMQ',
  createStore: (url) => Promise.resolve(new BullmqClusterStore(url)),
};

/** Counts completions in BullMQ's stream of events, to which the step that completes a job adds one. */
class BullmqClusterStore implements ClusterStore {
  private readonly prefix = freshPrefix();
  private readonly completions = new Map<string, number>();
  private lastEvent = '0';

  constructor(private readonly url: string) {}

  engine(lease: string, connection = this.url): SharedEngine {
    const { prefix } = this;
    const options = { connection, prefix, lease: lease as '2s', maxInterruptions: 1_000 };
    return { kind: 'bullmq', options: { ...options, pollInterval: '50ms', patience: '2s' } };
  }

  async report(): Promise<StoreReport> {
    const client = new Redis(this.url, { lazyConnect: true });
    try {
      await client.connect();
      await this.countCompletions(client);
      const completed = await client.zrange(this.key('completed'), 0, -1);
      const others = {
        waiting: [
          ...(await client.lrange(this.key('wait'), 0, -1)),
          ...(await client.zrange(this.key('prioritized'), 0, -1)),
        ],
        active: await client.lrange(this.key('active'), 0, -1),
        delayed: await client.zrange(this.key('delayed'), 0, -1),
        failed: await client.zrange(this.key('failed'), 0, -1),
      };
      const all = Object.entries({ completed, ...others });
      return {
        completions: this.completions,
        open: Object.entries(others).flatMap(([state, ids]) => ids.map((id) => `${id} ${state}`)),
        ids: new Set(all.flatMap(([, ids]) => ids)),
        states: Object.fromEntries(
          all.flatMap(([state, { length }]) => (length > 0 ? [[state, length]] : [])),
        ),
      };
    } finally {
      client.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeKeys(this.url, this.prefix);
  }

  private async countCompletions(client: Redis): Promise<void> {
    const events = await client.xrange(this.key('events'), `(${this.lastEvent}`, '+', 'COUNT', eventsAtOnce);
    for (const [event, fields] of events) {
      this.lastEvent = event;
      const { event: what, jobId } = toRecord(fields);
      if (what === 'completed') this.completions.set(jobId!, (this.completions.get(jobId!) ?? 0) + 1);
    }
  }

  private key(name: string): string {
    return `${this.prefix}:${queue}:${name}`;
  }
}

function toRecord(fields: readonly string[]): Readonly<Record<string, string>> {
  const pairs = fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1]!]] : []));
  return Object.fromEntries(pairs) as Record<string, string>;
}
