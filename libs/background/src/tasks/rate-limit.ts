import type { Clock } from 'nestjs-nightshift/channels';
import type { ResolvedRateLimit } from './queue.options.js';
import { Timetable, type TimetableEntry } from './timetable.js';

/**
 * Lets no more than so many attempts begin in any stretch of time: it remembers when the last ones began. Whoever is
 * about to begin one reserves its place first, as it begins only a moment later.
 */
export class RateLimit {
  private readonly timetable: Timetable;
  /** When the last ones began, by `monotonic()`: a ring whose next place is that of the oldest. */
  private readonly begunAt: number[] = [];
  private next = 0;
  private reserved = 0;
  private wakeUp: TimetableEntry | undefined;
  private isAwaited = false;

  /** @param onRoom called when there is room again, if {@link awaitRoom} has been called; it must not throw */
  constructor(
    private readonly limit: ResolvedRateLimit,
    private readonly clock: Clock,
    private readonly onRoom: () => void,
  ) {
    this.timetable = new Timetable(clock);
  }

  get hasRoom(): boolean {
    const { roomAt } = this;
    return roomAt !== undefined && roomAt <= this.clock.monotonic();
  }

  /**
   * When the next attempt may begin, as `monotonic()` will show it. `undefined` when that is not known, because attempts
   * that have not begun yet take all the room that there will be.
   */
  get roomAt(): number | undefined {
    const { max, perMs } = this.limit;
    if (this.reserved >= max) return undefined;
    // Those that are about to begin count as if they had begun: as many of the oldest as they are do not matter any more.
    const decisive = this.begunAt[(this.next + this.reserved) % max];
    return decisive === undefined ? Number.NEGATIVE_INFINITY : decisive + perMs;
  }

  /** An attempt is about to begin. */
  reserve(): void {
    this.reserved += 1;
  }

  /** It begins. */
  begin(): void {
    this.reserved -= 1;
    this.begunAt[this.next] = this.clock.monotonic();
    this.next = (this.next + 1) % this.limit.max;
    this.arm();
  }

  /** It does not begin after all. */
  release(): void {
    this.reserved -= 1;
    if (this.isAwaited) this.tellRoom();
  }

  /** Somebody waits for room. */
  awaitRoom(): void {
    this.isAwaited = true;
    this.arm();
  }

  /** Nobody waits any more. */
  stop(): void {
    this.isAwaited = false;
    this.wakeUp?.cancel();
    this.wakeUp = undefined;
  }

  private arm(): void {
    if (!this.isAwaited || this.wakeUp !== undefined) return;
    const { roomAt } = this;
    if (roomAt === undefined) return; // the next one that begins arms it
    this.wakeUp = this.timetable.add(Math.max(0, roomAt - this.clock.monotonic()), () => this.tellRoom());
  }

  private tellRoom(): void {
    this.stop();
    this.onRoom();
  }
}
