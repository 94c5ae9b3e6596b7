import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerReading, SharedStore } from './shared-store.js';

export async function openSqliteStore(): Promise<SharedStore> {
  return new SqliteStore(await mkdtemp(join(tmpdir(), 'nightshift-scale-')));
}

/** There is no server: what a task costs is in the processes of the workers. */
class SqliteStore implements SharedStore {
  readonly name = 'SQLite';
  readonly setup =
    'One file on the disk of this machine, `synchronous = FULL`, as the engine has it by itself.';
  readonly mostWorkers = 16;
  readonly mostPerSecond = 6_000;
  private opened = 0;

  constructor(private readonly directory: string) {}

  async empty() {
    return { kind: 'sqlite', file: join(this.directory, `tasks-${(this.opened += 1)}.db`) } as const;
  }

  async read(): Promise<ServerReading> {
    return {
      cpuMs: undefined,
      commands: undefined,
      connections: undefined,
      deadlocks: undefined,
    };
  }

  async close(): Promise<void> {
    await rm(this.directory, { recursive: true });
  }
}
