import type { LocalTask } from './local-task.js';
import type { StoreSession } from './store-session.js';
import type { StoredRun } from './stored-settlement.js';

/** Writes down what running tasks say of themselves, as far as it is new: it is no harm if the last words are lost. */
export class NoteWriter {
  constructor(
    private readonly queue: string,
    private readonly session: StoreSession,
  ) {}

  flush(task: LocalTask, run: StoredRun): void {
    const log = task.writtenLog;
    if (log === undefined || run.isSuperseded) return;
    const count = log.written - run.linesWritten;
    const fresh = count === 0 ? [] : log.last().slice(-count);
    const { progress } = log;
    const isProgressNew = progress !== undefined && progress !== run.progress;
    if (fresh.length === 0 && !isProgressNew) return;
    run.linesWritten = log.written;
    run.progress = progress;
    const { id, claim } = run.claimed;
    const said = {
      queue: this.queue,
      id,
      claim,
      progress: isProgressNew
        ? { value: progress.value, message: progress.message, atMs: progress.at.getTime() }
        : undefined,
      lines: fresh.map(({ at, message }) => ({ atMs: at.getTime(), message })),
    };
    this.session.storage
      .note(said)
      .catch((error: unknown) => this.session.fail('store what a task said', error));
  }
}
