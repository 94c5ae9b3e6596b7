import { formatDuration } from 'nestjs-nightshift/channels';
import { PeriodicTrigger } from './periodic-trigger.js';
import type { Trigger } from './trigger.js';

/** The last instant that a `Date` can hold. */
const endOfTimeMs = 8.64e15;

/**
 * Due at whole multiples of a period since the Unix epoch: at the same instants in every process, whenever it began. Local
 * time has no part in it, so a day begins at midnight UTC.
 */
export class AlignedTrigger implements Trigger {
  readonly axis = 'wall';
  readonly periodMs: number;
  readonly description: string;

  /** @param periodMs rounded to whole milliseconds, for all processes are to come to the same instants */
  constructor(periodMs: number) {
    this.periodMs = Math.max(1, Math.round(periodMs));
    this.description = `every ${formatDuration(this.periodMs)}, aligned to the clock`;
  }

  first(now: number): number | undefined {
    return this.after(now);
  }

  after(due: number): number | undefined {
    const next = (Math.floor(due / this.periodMs) + 1) * this.periodMs;
    return next <= endOfTimeMs ? next : undefined;
  }

  latest(due: number, now: number): { due: number; passed: number } {
    const passed = Math.max(0, Math.floor((now - due) / this.periodMs));
    return { due: due + passed * this.periodMs, passed };
  }
}

/** The trigger in the form in which every process comes to the same due times; `undefined` when there is none. */
export function alignedOf(trigger: Trigger): Trigger | undefined {
  if (trigger instanceof PeriodicTrigger) return new AlignedTrigger(trigger.periodMs);
  return trigger.axis === 'wall' ? trigger : undefined;
}
