import type { Clock } from 'nestjs-nightshift/channels';
import type { OccurrenceStorage } from '../hosting/occurrence-storage.js';
import type { OccurrenceRecord } from './occurrence-record.js';
import type { Trigger } from './trigger.js';

export interface MissedOccurrence {
  readonly due: number;
  /** How many before it are passed over. */
  readonly passed: number;
}

export interface CatchUpDependencies {
  readonly clock: Clock;
  readonly storage: OccurrenceStorage;
  /** The trigger at the moment. */
  readonly trigger: () => Trigger;
  /** Whether to look again when occurrences were given back. */
  readonly heedsReleases: boolean;
  /** The newest occurrence that nobody has run. */
  readonly onMissed: (missed: MissedOccurrence) => void;
  /** A look is over. */
  readonly onLooked: () => void;
}

/** Looks for occurrences that were due while nothing ran: when the schedule begins, and when others gave some back. */
export class CatchUp {
  private begunAtMs = 0;
  private looks = 0;
  /** The look that counts, while one is under way. */
  private looking: number | undefined;
  private endListening: (() => void) | undefined;

  constructor(
    private readonly record: OccurrenceRecord,
    private readonly dependencies: CatchUpDependencies,
  ) {}

  /** Whether it may still find something. */
  get isWatching(): boolean {
    return this.looking !== undefined || this.endListening !== undefined;
  }

  /** The schedule begins. */
  begin(): void {
    this.listen();
    void this.look();
  }

  /** The schedule goes on: what was due meanwhile is past. */
  listen(): void {
    const { storage, clock, heedsReleases } = this.dependencies;
    if (!heedsReleases || this.endListening !== undefined) return;
    this.begunAtMs = clock.now();
    this.endListening = storage.onReleased(() => void this.look());
  }

  end(): void {
    this.looking = undefined;
    this.endListening?.();
    this.endListening = undefined;
  }

  private async look(): Promise<void> {
    const { clock, trigger, onMissed, onLooked } = this.dependencies;
    const current = trigger();
    if (current.axis !== 'wall') return;
    const look = (this.looks += 1);
    this.looking = look;
    const found = await this.record.latest();
    if (look !== this.looking) return; // ended, or the look after it sees more
    this.looking = undefined;
    // Given up, or on another schedule by now, which begins anew.
    if (found !== undefined && current === trigger()) {
      const now = clock.now();
      // Without any record only what was due since this process is there counts: another may have lost it.
      const since = found.answer ?? (this.endListening === undefined ? now : this.begunAtMs);
      const missed = newestBetween(current, since, now);
      if (missed !== undefined && !this.record.holds(missed.due)) onMissed(missed);
    }
    onLooked();
  }
}

/** The last due time after `since` and up to `now`, and how many there are before it. */
function newestBetween(trigger: Trigger, since: number, now: number): MissedOccurrence | undefined {
  const first = since < now ? trigger.first(since) : undefined;
  return first === undefined || first > now ? undefined : trigger.latest(first, now);
}
