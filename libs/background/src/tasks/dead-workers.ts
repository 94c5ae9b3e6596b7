import type { Clock } from 'nestjs-nightshift/channels';
import { hasCertainlyEnded } from './process-identity.js';
import type { WorkerId, WorkerSign } from './task-storage.js';

interface Watched {
  beat: number;
  /** For how long it has given no sign, as far as this process was awake to see it. */
  silentMs: number;
}

/**
 * Tells which workers are dead: those whose process has certainly ended, and those that have given no sign of life for as
 * long as a lease. The time is this process's own, and only that in which it was awake: neither a wall clock that is set, nor
 * a machine that slept, makes the living look dead.
 */
export class DeadWorkers {
  private readonly watched = new Map<WorkerId, Watched>();
  private lookedAt: number | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly leaseMs: number,
    /** How often this is asked. */
    private readonly intervalMs: number,
  ) {}

  /** @param own who asks */
  among(signs: readonly WorkerSign[], own: WorkerId): readonly WorkerId[] {
    const now = this.clock.monotonic();
    const passedMs = Math.min(now - (this.lookedAt ?? now), this.intervalMs * 2);
    this.lookedAt = now;
    for (const worker of this.watched.keys())
      if (!signs.some((sign) => sign.worker === worker)) this.watched.delete(worker);
    return signs
      .filter((sign) => sign.worker !== own && this.isDead(sign, passedMs))
      .map(({ worker }) => worker);
  }

  private isDead({ worker, beat, process }: WorkerSign, passedMs: number): boolean {
    if (hasCertainlyEnded(process)) return true;
    const known = this.watched.get(worker);
    if (known?.beat !== beat) {
      this.watched.set(worker, { beat, silentMs: 0 });
      return false;
    }
    known.silentMs += passedMs;
    return known.silentMs >= this.leaseMs;
  }
}
