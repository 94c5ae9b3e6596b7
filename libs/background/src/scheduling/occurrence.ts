import type { EventDetails } from '../events/events.js';
import type { TickRecord } from '../hosting/service-runner.js';

/** One tick that is to run. */
export interface Occurrence {
  readonly scheduledAt: Date;
  /** How many due ticks were passed over to reach this one. */
  readonly passed: number;
  /**
   * The due time under which a storage knows it. A tick that was asked for, or that comes with the start, is nobody's
   * occurrence and has none; and without a storage none has.
   */
  readonly dueAtMs?: number | undefined;
  /** Whether this process has claimed it. */
  readonly isClaimed?: boolean;
  /** Hears what became of it when it was asked for by hand. */
  readonly done?: (record: TickRecord) => void;
}

/** One that a storage knows. */
export type KeptOccurrence = Occurrence & { readonly dueAtMs: number };

export function isKept(occurrence: Occurrence): occurrence is KeptOccurrence {
  return occurrence.dueAtMs !== undefined;
}

/** Why one does not run. */
export type SkipReason = EventDetails['tick.skipped']['because'];
