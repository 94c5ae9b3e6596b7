import type { Tally } from './tally.js';

/** Where the workers of a process find their store. */
export type StoreAddress =
  | { readonly kind: 'postgres'; readonly url: string }
  | { readonly kind: 'bullmq'; readonly url: string }
  | { readonly kind: 'sqlite'; readonly file: string };

/** What a process of the crew is told. Each is answered with a {@link CrewReport} when it is done. */
export type CrewOrder =
  | { readonly order: 'open'; readonly address: StoreAddress; readonly workers: number }
  /** Enqueues so many while nothing runs, and then lets them run. By the producer, which runs nothing itself. */
  | { readonly order: 'enqueue'; readonly amount: number }
  /** Enqueues one after another at an even pace. */
  | { readonly order: 'trickle'; readonly perSecond: number; readonly forMs: number }
  | { readonly order: 'report' }
  | { readonly order: 'close' };

/** Since the process began; waits and lateness are those since the last report. */
export interface CrewReport {
  readonly begun: number;
  /** From enqueue to the first line of the handler, in milliseconds. */
  readonly waitsMs: readonly number[];
  readonly tally: Tally;
  /** Time of a processor that the process has used. */
  readonly cpuMs: number;
  /** By how much its event loop was late, at the 99th percentile. */
  readonly lateMs: number;
}

export type CrewAnswer = { readonly report: CrewReport } | { readonly failed: string };
