import { ArgumentOutOfRangeError } from 'nestjs-nightshift/channels';
import type { TaskLogLine, TaskProgress } from './task-record.js';

/** How much a task may say of itself: of its log, the last lines are kept. */
export const noteLimits = Object.freeze({ lines: 100, characters: 2_000 });

/** What a task says of itself while it runs: its progress, and the last lines of its log. */
export class TaskLog {
  progress: TaskProgress | undefined;
  /** The last ones, oldest first. */
  lines: TaskLogLine[] = [];
  /** How many lines there have been. */
  written = 0;

  /** @throws ArgumentOutOfRangeError */
  setProgress(value: number, message: string | undefined, at: Date): void {
    if (!Number.isFinite(value))
      throw new ArgumentOutOfRangeError('progress(value)', value, 'a finite number');
    if (message !== undefined && typeof message !== 'string')
      throw new ArgumentOutOfRangeError('progress(..., message)', message, 'a text');
    this.progress = Object.freeze({
      value,
      message: message === undefined ? undefined : toLine(message),
      at,
    });
  }

  write(message: string, at: Date): void {
    this.lines.push(Object.freeze({ at, message: toLine(String(message)) }));
    this.written += 1;
    // Cut now and then and not each time: taking the first out of a list costs as much as the list is long.
    if (this.lines.length >= noteLimits.lines * 2) this.lines = this.last();
  }

  last(): TaskLogLine[] {
    return this.lines.slice(-noteLimits.lines);
  }
}

/** Without NUL and half of a surrogate pair, which stores cannot keep. */
function toLine(text: string): string {
  const line = text.slice(0, noteLimits.characters).replaceAll('\u0000', '\ufffd');
  return (line as string & { toWellFormed(): string }).toWellFormed();
}
