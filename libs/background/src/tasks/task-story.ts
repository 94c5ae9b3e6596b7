import { toErrorRecord } from './error-record.js';
import type { TypedTask } from './queue-engine.js';
import type { TaskLog } from './task-log.js';
import type { AttemptRecord } from './task-record.js';

/** How many of the last attempts are kept. */
export const attemptsKept = 50;

const none: readonly AttemptRecord[] = Object.freeze([]);

/**
 * What is kept of a task beside what it takes to run it. A closure has none until there is something to tell, which is
 * never, for most of them.
 */
export class TaskStory {
  /** Which attempt runs, or is the next to run; at the end, how many have begun. */
  attempt = 1;
  log: TaskLog | undefined;
  /** When its last attempt began, and when it came to its end, by the wall clock. */
  startedAtMs: number | undefined;
  endedAtMs: number | undefined;
  /** Its place among those whose time has come. */
  turn: number | undefined;
  /** The last attempts that did not complete it, oldest first. */
  attempts = none;

  constructor(readonly typed: TypedTask | undefined) {}

  /** The current attempt did not complete the task. */
  addAttempt(
    outcome: AttemptRecord['outcome'],
    error: unknown,
    startedAtMs: number,
    endedAtMs: number,
  ): void {
    const attempt: AttemptRecord = {
      attempt: this.attempt,
      startedAt: new Date(startedAtMs),
      endedAt: new Date(endedAtMs),
      outcome,
      error: outcome === 'failed' || outcome === 'timedOut' ? toErrorRecord(error) : undefined,
    };
    this.attempts = [...this.attempts, attempt].slice(-attemptsKept);
  }
}
