import { Redis } from 'ioredis';
import type { Skipped } from '../comparison.js';
import { openRedis, type DurableRedis } from '../own-redis.js';
import { cpuOf } from './process-cpu.js';
import type { ServerReading, SharedStore } from './shared-store.js';

const appendfsync = 'everysec';

export async function openRedisStore(): Promise<SharedStore | Skipped> {
  const server = await openRedis(appendfsync);
  if ('skipped' in server) return server;
  const client = new Redis(server.url);
  const { redis_version: version, process_id: pid } = toFields(await client.info('server'));
  return new RedisStore(server, client, Number(pid), version!);
}

class RedisStore implements SharedStore {
  readonly name = 'BullMQ';
  readonly setup: string;
  readonly mostWorkers = 64;
  readonly mostPerSecond = 5_000;

  constructor(
    private readonly server: DurableRedis,
    private readonly client: Redis,
    private readonly pid: number,
    version: string,
  ) {
    this.setup = `Redis ${version} with \`appendonly yes\` and \`appendfsync ${appendfsync}\`.`;
  }

  async empty() {
    await this.client.flushall();
    return { kind: 'bullmq', url: this.server.url } as const;
  }

  async read(): Promise<ServerReading> {
    const commands = Object.entries(toFields(await this.client.info('commandstats')));
    const { connected_clients: clients } = toFields(await this.client.info('clients'));
    return {
      cpuMs: await cpuOf(this.pid),
      commands: commands.reduce((sum, [, text]) => sum + Number(/calls=(\d+)/.exec(text)?.[1] ?? 0), 0),
      connections: Number(clients) - 1, // but for ours
      deadlocks: undefined,
    };
  }

  async close(): Promise<void> {
    this.client.disconnect();
    await this.server.close();
  }
}

/** What `INFO` says, by its names. */
export function toFields(info: string): Record<string, string> {
  return Object.fromEntries(
    info
      .split(/\r?\n/)
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}
