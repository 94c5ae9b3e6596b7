import type { ErrorRecord, TaskState } from 'nestjs-nightshift';

/** The states of tasks that have ended. */
export const endStates = [
  'completed',
  'dead',
  'discarded',
  'cancelled',
  'expired',
] as const satisfies readonly TaskState[];

export function hasEnded(state: TaskState): boolean {
  return (endStates as readonly TaskState[]).includes(state);
}

/** Why a task has ended that nobody has run: what is written down as its error. */
export const endReasons = {
  replaced: (): string =>
    toText('TaskDiscardedError', 'TASK_DISCARDED', 'Another task with its deduplicationKey took its place.'),
  dropped: (fullMode: string): string =>
    toText('TaskDroppedError', 'TASK_DROPPED', `The queue was full, and its fullMode is '${fullMode}'.`),
  expired: (): string =>
    toText('TaskExpiredError', 'TASK_EXPIRED', 'It had not begun when its `expiresIn` was over.'),
  interrupted: (times: number): string =>
    toText(
      'TaskInterruptedError',
      'TASK_INTERRUPTED',
      `Its process ended ${times} times in the middle of it. It is not run again by itself: it may be what ends the process.`,
    ),
} as const;

function toText(name: string, code: string, message: string): string {
  return JSON.stringify({ name, code, message } satisfies ErrorRecord);
}
