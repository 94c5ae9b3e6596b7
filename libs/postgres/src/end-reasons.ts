import type { ErrorRecord } from 'nestjs-nightshift';

/** Why a task has ended that nobody has run: what is written down as its error. */
export const endReasons = {
  replaced: (): string =>
    toText('TaskDiscardedError', 'TASK_DISCARDED', 'Another task with its deduplicationKey took its place.'),
  dropped: (fullMode: string): string =>
    toText('TaskDroppedError', 'TASK_DROPPED', `The queue was full, and its fullMode is '${fullMode}'.`),
  expired: (): string =>
    toText('TaskExpiredError', 'TASK_EXPIRED', 'It had not begun when its `expiresIn` was over.'),
  /** @param times an expression of SQL. @returns one that gives the text */
  interruptedIn: (times: string): string => {
    const text = toText(
      'TaskInterruptedError',
      'TASK_INTERRUPTED',
      'Its process ended %s times in the middle of it. It is not run again by itself: it may be what ends the process.',
    );
    return `format('${text.replaceAll("'", "''")}', ${times})`;
  },
} as const;

function toText(name: string, code: string, message: string): string {
  return JSON.stringify({ name, code, message } satisfies ErrorRecord);
}
