import { formatDuration } from 'nestjs-nightshift/channels';

/**
 * Says when ticks are due. Points in time are milliseconds on the trigger's own axis: the wall clock for a calendar, the
 * monotonic clock for a period, so that setting the machine's clock moves the one and not the other.
 */
export interface Trigger {
  readonly axis: 'wall' | 'monotonic';
  /** The schedule in words: `'every 30m'`. */
  readonly description: string;
  /** The first due time when the schedule begins at `now`; `undefined` when there is none. */
  first(now: number): number | undefined;
  /** The next due time after `due`; `undefined` when there is none. */
  after(due: number): number | undefined;
  /** The last due time at or before `now`, starting from `due`, and how many were passed over to reach it. */
  latest(due: number, now: number): { readonly due: number; readonly passed: number };
}

/** Due once, at a fixed distance from the beginning. */
export class OnceTrigger implements Trigger {
  readonly axis = 'monotonic';

  readonly description: string;

  constructor(private readonly delayMs: number) {
    this.description = `once, after ${formatDuration(delayMs)}`;
  }

  first(now: number): number {
    return now + this.delayMs;
  }

  after(): undefined {
    return undefined;
  }

  latest(due: number): { due: number; passed: number } {
    return { due, passed: 0 };
  }
}
