import {
  TaskCancelledError,
  TaskDiscardedError,
  TaskDroppedError,
  TaskExpiredError,
  TaskFailedError,
  TaskResultLostError,
  TaskUnfinishedError,
  UnknownTaskError,
} from '../errors.js';
import { toError } from './error-record.js';
import { ResultWatchers } from './result-watchers.js';
import type { TaskEnd, TaskStorage } from './task-storage.js';

/** The end of a task that has run here. */
export type SettledOutcome = { readonly result: string | undefined } | { readonly error: unknown };

/** The results of stored tasks, for those who wait for them: of tasks that run here, and of those that run elsewhere. */
export class StoredResults {
  private readonly watchers = new ResultWatchers();
  /** To be looked up at the end of this turn of the event loop: those who ask together are answered together. */
  private asked: string[] = [];

  constructor(
    private readonly queue: string,
    private readonly fullMode: string,
    private readonly storage: Pick<TaskStorage, 'ends'>,
    /** Whether the end of a task will be told by {@link settle}, and need not be looked up: true until it has been told. */
    private readonly runsHere: (id: string) => boolean,
  ) {}

  of(id: string): Promise<unknown> {
    const isNew = !this.watchers.has(id);
    const result = this.watchers.watch(id);
    if (isNew && !this.runsHere(id) && this.asked.push(id) === 1) setImmediate(() => void this.lookAtAsked());
    return result;
  }

  settle(id: string, outcome: SettledOutcome): void {
    if (!this.watchers.has(id)) return;
    if ('error' in outcome) this.watchers.reject(id, outcome.error);
    else this.watchers.resolve(id, parse(outcome.result));
  }

  /** Those of these tasks that somebody waits for may have ended, or be gone. */
  async lookAt(ids: readonly string[]): Promise<void> {
    const watched = ids.filter((id) => this.watchers.has(id));
    if (watched.length === 0) return;
    const { ended, open } = await this.storage.ends(this.queue, watched);
    for (const end of ended) this.settleAs(end);
    const isOpen = new Set(open);
    for (const id of watched) if (!isOpen.has(id)) this.giveUp(id);
  }

  lookAtAll(): Promise<void> {
    return this.lookAt(this.watchers.ids);
  }

  /** Nobody will be told here any more. */
  rejectAll(): void {
    for (const id of this.watchers.ids) this.watchers.reject(id, new TaskUnfinishedError(id, this.queue));
  }

  private async lookAtAsked(): Promise<void> {
    const ids = this.asked.filter((id) => !this.runsHere(id)); // some have begun meanwhile
    this.asked = [];
    try {
      await this.lookAt(ids);
    } catch (error) {
      for (const id of ids) this.watchers.reject(id, error);
    }
  }

  /** Nobody will ever tell its end. One that is not kept is gone as soon as that is stored, a moment before it is told here. */
  private giveUp(id: string): void {
    if (!this.runsHere(id)) this.watchers.reject(id, new UnknownTaskError(this.queue, id));
  }

  private settleAs(end: TaskEnd): void {
    const error = this.errorOf(end);
    if (error !== undefined) this.watchers.reject(end.id, error);
    else this.watchers.resolve(end.id, parse(end.result));
  }

  private errorOf({ id, state, error, expiresInMs }: TaskEnd): Error | undefined {
    const { queue } = this;
    const cause = error && toError(error);
    switch (state) {
      case 'completed':
        return cause && new TaskResultLostError(id, queue, error!.message, { cause });
      case 'cancelled':
        return new TaskCancelledError(id, queue, error?.cause?.message);
      case 'expired':
        return new TaskExpiredError(id, queue, expiresInMs ?? 0);
      case 'discarded':
        if (error?.code === 'TASK_DROPPED') return new TaskDroppedError(id, queue, this.fullMode);
        return new TaskDiscardedError(id, queue, error?.cause?.message ?? error?.message);
      default:
        return new TaskFailedError(id, queue, error ?? { name: 'Error', message: 'unknown' }, { cause });
    }
  }
}

function parse(json: string | undefined): unknown {
  return json === undefined ? undefined : JSON.parse(json);
}
