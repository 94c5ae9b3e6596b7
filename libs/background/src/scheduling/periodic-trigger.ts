import { formatDuration } from 'nestjs-nightshift/channels';
import type { Trigger } from './trigger.js';

/** Due at a fixed rate: lateness of one tick does not shift the ones after it. The first is due after one period. */
export class PeriodicTrigger implements Trigger {
  readonly axis = 'monotonic';

  readonly description: string;

  constructor(readonly periodMs: number) {
    this.description = `every ${formatDuration(periodMs)}`;
  }

  first(now: number): number {
    return now + this.periodMs;
  }

  after(due: number): number {
    return due + this.periodMs;
  }

  latest(due: number, now: number): { due: number; passed: number } {
    const passed = Math.max(0, Math.floor((now - due) / this.periodMs));
    return { due: due + passed * this.periodMs, passed };
  }
}
