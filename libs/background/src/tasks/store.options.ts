import type { Duration } from 'nestjs-nightshift/channels';
import type { OptionsReader } from '../options-reader.js';

/** How an engine that keeps its tasks in a store goes about it. */
export interface StoreOptions {
  /**
   * For how long a process may give no sign of life before others take it for dead and have its tasks. One that has ended
   * on the same machine is noticed much sooner, on Linux. A process that does nothing but compute for longer than this, so
   * that its event loop stands still, is taken for dead as well. At least 1 s.
   * @default '10s'
   */
  lease?: Duration | undefined;
  /**
   * How often to look whether other processes have changed anything. What this process enqueues it begins at once.
   * @default '100ms'
   */
  pollInterval?: Duration | undefined;
  /**
   * How often the end of its process may interrupt a task before it is dead, instead of running again: it may be what ends
   * the process.
   * @default 10
   */
  maxInterruptions?: number | undefined;
}

export interface ResolvedStoreOptions {
  readonly leaseMs: number;
  readonly pollIntervalMs: number;
  readonly maxInterruptions: number;
}

export const storeDefaults: ResolvedStoreOptions = Object.freeze({
  leaseMs: 10_000,
  pollIntervalMs: 100,
  maxInterruptions: 10,
});

export const storeKeys = [
  'lease',
  'pollInterval',
  'maxInterruptions',
] as const satisfies readonly (keyof StoreOptions)[];

export function readStoreOptions(check: OptionsReader<StoreOptions>): ResolvedStoreOptions {
  return Object.freeze({
    leaseMs: check.durationMs('lease', storeDefaults.leaseMs, 1_000),
    pollIntervalMs: check.durationMs('pollInterval', storeDefaults.pollIntervalMs, 1),
    maxInterruptions: check.wholeNumber('maxInterruptions', storeDefaults.maxInterruptions, 0),
  });
}
