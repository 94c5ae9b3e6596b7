import type { Skipped } from '../comparison.js';
import type { StoreAddress } from './crew-messages.js';

/** What a server says of itself. */
export interface ServerReading {
  /** Time of a processor that it has used. */
  readonly cpuMs: number | undefined;
  /** What it has carried out, with what scripts do inside it. */
  readonly commands: number | undefined;
  readonly connections: number | undefined;
  readonly deadlocks: number | undefined;
}

/** Where the workers of a simulation find their tasks: one server, or one file. */
export interface SharedStore {
  readonly name: string;
  /** How it is set up, for a reader who doubts the figures. */
  readonly setup: string;
  /** More workers than these make no sense here. */
  readonly mostWorkers: number;
  /** How many tasks a second are more than it will do, however many workers there are. */
  readonly mostPerSecond: number;
  /** A new, empty place for tasks, on the same server. */
  empty(): Promise<StoreAddress>;
  read(): Promise<ServerReading>;
  /** How many of its connections wait, at this moment, for a lock that another one has. */
  countWaiting?(): Promise<number>;
  close(): Promise<void>;
}

export type OpenStore = () => Promise<SharedStore | Skipped>;
