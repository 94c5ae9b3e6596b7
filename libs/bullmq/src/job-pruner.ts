import { endStates, type EndState, type ResolvedRetention } from 'nestjs-nightshift';
import type { RedisSession } from './redis-session.js';

/** How many jobs a step of pruning looks at. */
const prunedAtOnce = 1_000;
/** For how long nobody prunes again, for each step that it takes: all processes together have no more to do than one. */
const pruneRestMs = 1_500;

/** Removes jobs that have ended and are beyond the retention of their queue. */
export class JobPruner {
  constructor(
    private readonly session: RedisSession,
    private readonly base: string,
  ) {}

  async prune(retention: ResolvedRetention): Promise<void> {
    await this.pruneSet('completed', ['completed'], retention);
    await this.pruneSet(
      'failed',
      endStates.filter((state) => state !== 'completed'),
      retention,
    );
  }

  private async pruneSet(
    place: 'completed' | 'failed',
    states: readonly EndState[],
    retention: ResolvedRetention,
  ): Promise<void> {
    const now = this.session.now();
    const kept = states.map(() => 0);
    let from = 0;
    for (;;) {
      const rules = states.flatMap((state, i) => {
        const { ageMs, count } = retention[state];
        const before = ageMs === Number.POSITIVE_INFINITY ? 0 : Math.floor(now - ageMs);
        return [state, before, Math.max(0, count - kept[i]!)];
      });
      const args = [place, from, from + prunedAtOnce - 1, pruneRestMs, ...rules];
      const [seen, removed, ...keptNow] = (await this.session.run('prune', this.base, args)) as number[];
      for (const [i, count] of keptNow.entries()) kept[i]! += count;
      if (seen! < prunedAtOnce || this.session.closed) return;
      from += seen! - removed!;
    }
  }
}
