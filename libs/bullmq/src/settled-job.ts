import {
  TaskCancelledError,
  TaskExpiredError,
  type ClaimedTask,
  type DeliveredOutcome,
  type ErrorRecord,
  type Settlement,
  type SettledOutcome,
} from 'nestjs-nightshift';
import { attemptField, type StoredAttemptFields } from './job-record.js';
import { duePriority } from './priorities.js';

/** What becomes of a job when a delivery of it is over. */
export interface JobEnd {
  readonly claimed: ClaimedTask;
  readonly state: Settlement['state'] | 'expired';
  readonly settlement: Omit<Settlement, 'state'>;
  readonly outcome: SettledOutcome | undefined;
  /** For how long its place is to stay empty. */
  readonly restMs?: number;
}

export function toJobEnd(claimed: ClaimedTask, { settlement, outcome }: DeliveredOutcome): JobEnd {
  return { claimed, state: settlement.state, settlement, outcome };
}

/** It goes back without having run. */
export function givenBack(claimed: ClaimedTask, queue: string, nowMs: number): JobEnd {
  return { claimed, state: 'waiting', settlement: plain(claimed, queue, nowMs), outcome: undefined };
}

export function expiredJob(claimed: ClaimedTask, queue: string, nowMs: number, isKept: boolean): JobEnd {
  const error = new TaskExpiredError(claimed.id, queue, expiresInOf(claimed));
  return {
    claimed,
    state: 'expired',
    settlement: { ...plain(claimed, queue, nowMs), isKept },
    outcome: { error },
  };
}

export function expiresInOf({ expiresAtMs, enqueuedAtMs }: ClaimedTask): number {
  return expiresAtMs! - enqueuedAtMs;
}

/** Somebody has cancelled it while it ran in a process that did not live to hear of it. */
export function cancelledJob(
  claimed: ClaimedTask,
  queue: string,
  nowMs: number,
  text: string,
  isKept: boolean,
): JobEnd {
  const record = JSON.parse(text) as ErrorRecord;
  const error = new TaskCancelledError(claimed.id, queue, reasonOf(record));
  const settlement = { ...plain(claimed, queue, nowMs), isKept, error: record };
  return { claimed, state: 'cancelled', settlement, outcome: { error } };
}

/** The reason that whoever cancelled gave, if any, as far as it is kept. */
export function reasonOf({ cause }: ErrorRecord): string | undefined {
  return cause?.message;
}

/**
 * The fields that are written along with the step.
 *
 * @param bullmqPriority that of the job
 */
export function fieldsOf(
  { claimed, state, settlement }: JobEnd,
  bullmqPriority: number,
): Record<string, string | number> {
  const { attempt, error, nextAttempt } = settlement;
  const fields: Record<string, string | number> = { 'nightshift:state': state };
  // That is done: if it is run again, it is not cancelled again.
  if (state === 'cancelled') Object.assign(fields, { 'nightshift:cancel': '', 'nightshift:cancelled': '' });
  if (error !== undefined) {
    fields['nightshift:error'] = JSON.stringify(error);
    fields['failedReason'] = error.message;
    if (error.stack !== undefined) fields['stacktrace'] = JSON.stringify([error.stack]);
  }
  if (attempt !== undefined) {
    const record: StoredAttemptFields = { start: claimed.claim, ...attempt, error: attempt.error };
    fields[attemptField(claimed.claim)] = JSON.stringify(record);
  }
  if (state === 'retrying' || state === 'waiting') {
    fields['priority'] = duePriority(bullmqPriority);
    fields['nightshift:putOff'] = nextAttempt === claimed.attempt ? '1' : '0';
  }
  return fields;
}

/** That of the attempt before, if its process ended in the middle of it. When that was is not known. */
export function interruptedAttempt({ claim, attempt }: ClaimedTask, nowMs: number): string {
  const record: StoredAttemptFields = {
    start: claim - 1,
    attempt,
    outcome: 'interrupted',
    error: undefined,
    startedAtMs: nowMs,
    endedAtMs: nowMs,
  };
  return JSON.stringify(record);
}

/** Whether BullMQ says that the job is not in this worker's hands any more: its lock is gone, or another's, or it is. */
export function isLost(error: unknown): boolean {
  return [-1, -2, -3, -6].includes((error as { code?: number } | null)?.code ?? 0);
}

function plain(claimed: ClaimedTask, queue: string, nowMs: number): Omit<Settlement, 'state'> {
  const { id, claim, concurrencyKey } = claimed;
  return { queue, id, claim, atMs: nowMs, concurrencyKey, isKept: true };
}
