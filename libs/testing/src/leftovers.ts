import type { ManualClock } from './manual-clock.js';

/** What keeps the process alive, and what is armed on a manual clock, compared with what there was before. */
export class Leftovers {
  private readonly before: ReadonlyMap<string, number>;

  constructor(private readonly clock: ManualClock | undefined) {
    this.before = this.count();
  }

  /** What there is more of than before, in words. */
  now(): readonly string[] {
    const more: string[] = [];
    for (const [what, count] of this.count()) {
      const added = count - (this.before.get(what) ?? 0);
      if (added > 0) more.push(`${added} x ${what}`);
    }
    return more;
  }

  private count(): Map<string, number> {
    const counts = new Map([['timer on the manual clock', this.clock?.pendingTimers ?? 0]]);
    for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
    return counts;
  }
}
