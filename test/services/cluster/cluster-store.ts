import type { SharedEngine } from './apps/shared-engine.js';

/** What a server itself says of the tasks that are kept there. */
export interface StoreReport {
  /** How often each task has completed, as the server wrote it down when it happened. */
  readonly completions: ReadonlyMap<string, number>;
  /** The ids of all tasks there are. */
  readonly ids: ReadonlySet<string>;
  /** How many of them are in which state. */
  readonly states: Readonly<Record<string, number>>;
  /** Those that have not completed, each with what the server knows of where it is. */
  readonly open: readonly string[];
}

/** Where the processes of one cluster keep their tasks. Disposing of it removes them. */
export interface ClusterStore extends AsyncDisposable {
  /** What a process needs to take part. @param url where it finds the server, if that is not where the server is */
  engine(lease: string, url?: string): SharedEngine;
  report(): Promise<StoreReport>;
}

/** A kind of server that a cluster can be made on. */
export interface ClusterEngine {
  readonly name: 'BullMQ' | 'PostgreSQL';
  /** Makes the store of a cluster on the server at `url`. */
  createStore(url: string): Promise<ClusterStore>;
}
