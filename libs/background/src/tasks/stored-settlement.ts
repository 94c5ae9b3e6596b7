import {
  InvalidPayloadError,
  TaskResultLostError,
  TaskTimeoutError,
  type UnstorableOutcomeError,
} from '../errors.js';
import { toErrorRecord } from './error-record.js';
import type { LocalTask } from './local-task.js';
import { packPayload } from './payload.js';
import type { ResolvedQueueOptions } from './queue.options.js';
import type { EndState } from './retention.js';
import type { SettledOutcome } from './stored-results.js';
import type { Postponement } from './task-execution.js';
import type { TaskProgress } from './task-record.js';
import type { ClaimedTask, Settlement, StoredAttempt } from './task-storage.js';

/** A claimed task while this process has it. */
export interface StoredRun {
  readonly claimed: ClaimedTask;
  readonly startedAtMs: number;
  /** How many lines of its log have been written down, and which progress. */
  linesWritten: number;
  progress: TaskProgress | undefined;
  /** It goes to whoever dequeues it. */
  readonly isTaken: boolean;
  /** Others have it. */
  isSuperseded: boolean;
}

/** An attempt that has ended here. */
export interface EndedAttempt {
  readonly task: LocalTask;
  readonly run: StoredRun;
  readonly postponed: Postponement | undefined;
  readonly queue: Pick<ResolvedQueueOptions, 'name' | 'retention'>;
  readonly nowMs: number;
}

/** What the store is told of an attempt, and what those who wait for the result are. */
export function settlementOf(ended: EndedAttempt): {
  readonly settlement: Settlement;
  readonly outcome: SettledOutcome | undefined;
} {
  const { task, run, postponed, queue, nowMs } = ended;
  const { id, claim, concurrencyKey } = run.claimed;
  const common = { queue: queue.name, id, claim, atMs: nowMs, concurrencyKey, isKept: true } as const;
  if (postponed !== undefined) {
    const { outcome, delayMs, attempt } = postponed;
    const error = outcome === 'putOff' ? undefined : toErrorRecord(postponed.error);
    return {
      settlement: {
        ...common,
        state: 'retrying',
        dueAtMs: Math.ceil(nowMs + delayMs),
        nextAttempt: attempt,
        error,
        attempt: attemptOf(ended, outcome, error),
      },
      outcome: undefined,
    };
  }
  const reason = task.currentOutcome;
  switch (task.currentState) {
    case 'completed':
      return completed(task, common, isKept(ended, 'completed'));
    case 'waiting':
      return {
        settlement: { ...common, state: 'waiting', attempt: attemptOf(ended, 'interrupted', undefined) },
        outcome: undefined,
      };
    case 'dead': {
      const outcome = reason instanceof TaskTimeoutError ? 'timedOut' : 'failed';
      const attempt = attemptOf(ended, outcome, toErrorRecord(reason));
      return {
        settlement: { ...common, ...endOf('dead', reason, ended), attempt },
        outcome: { error: reason },
      };
    }
    case 'discarded':
      return { settlement: { ...common, ...endOf('discarded', reason, ended) }, outcome: { error: reason } };
    default:
      return { settlement: { ...common, ...endOf('cancelled', reason, ended) }, outcome: { error: reason } };
  }
}

function completed(
  task: LocalTask,
  common: Omit<Settlement, 'state'>,
  isKept: boolean,
): { readonly settlement: Settlement; readonly outcome: SettledOutcome } {
  try {
    const { text } = packPayload(task.name, task.currentOutcome);
    // Word by word: the way of most tasks, on which a spread is the most expensive step.
    const { queue, id, claim, atMs, concurrencyKey } = common;
    return {
      settlement: { queue, id, claim, atMs, concurrencyKey, isKept, state: 'completed', result: text },
      outcome: { result: text },
    };
  } catch (error) {
    if (!(error instanceof InvalidPayloadError)) throw error;
    const what = error.issues.map(({ path, message }) => `${path.replace(/^payload/, 'result')} ${message}`);
    const lost = new TaskResultLostError(task.id, task.queue, `cannot be kept: ${what.join('; ')}`);
    return {
      settlement: { ...common, isKept, state: 'completed', error: toErrorRecord(lost) },
      outcome: { error: lost },
    };
  }
}

/** The same without what the store does not take: the end of a task counts for more than what is told of it. */
export function withoutDetails(
  settlement: Settlement,
  refused: UnstorableOutcomeError,
): { readonly settlement: Settlement; readonly lost: TaskResultLostError | undefined } {
  const { id, queue, state, attempt } = settlement;
  const lost =
    state === 'completed'
      ? new TaskResultLostError(id, queue, 'cannot be kept: the store does not take it, see `cause`', {
          cause: refused.cause,
        })
      : undefined;
  const { name, code, message } = lost ?? refused;
  const error = settlement.error === undefined && lost === undefined ? undefined : { name, code, message };
  return {
    settlement: { ...settlement, result: undefined, error, attempt: attempt && { ...attempt, error } },
    lost,
  };
}

function endOf(
  state: 'dead' | 'discarded' | 'cancelled',
  reason: unknown,
  ended: EndedAttempt,
): Pick<Settlement, 'state' | 'error' | 'isKept'> {
  return { state, error: toErrorRecord(reason), isKept: isKept(ended, state) };
}

/** Whoever comes with its key in the window has to find it. */
function isKept({ run, queue, nowMs }: EndedAttempt, state: EndState): boolean {
  return queue.retention[state].count > 0 || (run.claimed.keyUntilMs ?? 0) > nowMs;
}

function attemptOf(
  { run, nowMs }: EndedAttempt,
  outcome: StoredAttempt['outcome'],
  error: StoredAttempt['error'],
): StoredAttempt {
  return {
    attempt: run.claimed.attempt,
    outcome,
    error,
    startedAtMs: run.startedAtMs,
    endedAtMs: nowMs,
  };
}
