/** When the ticks of one contender came. */
export class Timeline {
  /** How long after its due time each came, in milliseconds. */
  readonly lateness: number[] = [];
  /** How long after its place on a grid that began with the first due time. */
  readonly offsets: number[] = [];
  private periods = 0;

  /**
   * @param firstDueAt when the first tick is due, on the axis of `performance.now()`
   * @param keepsGrid otherwise a tick is due one period after the one before
   */
  constructor(
    private readonly periodMs: number,
    public firstDueAt: number,
    private readonly keepsGrid: boolean,
  ) {}

  /** @param missed how many places of the grid were passed over since the tick before */
  add(now: number, missed = 0): void {
    this.periods += missed;
    const offset = now - this.firstDueAt - this.periods * this.periodMs;
    this.lateness.push(this.keepsGrid ? offset : offset - (this.offsets.at(-1) ?? 0));
    this.offsets.push(offset);
    this.periods += 1;
  }
}
