/** What a `PeriodicTimer` does, as arithmetic on a grid: ticks at `origin`, plus a period, plus another one. */
export class PeriodicTimerModel {
  now = 0;
  period: number;
  /** A tick that nobody has seen yet, however many it stands for. */
  isPending = false;
  waiting: { readonly id: number; readonly signal: number | undefined } | undefined = undefined;
  isDisposed = false;
  readonly settled: string[] = [];
  readonly aborted = new Set<number>();
  private origin = 0;
  private ids = 0;

  constructor(period: number) {
    this.period = period;
  }

  /** When the next tick comes; `undefined` when none does. */
  get nextTickAt(): number | undefined {
    return this.period === Infinity ? undefined : this.origin + (this.ticks + 1) * this.period;
  }

  pass(byMs: number, isHeldUp: boolean): void {
    if (!isHeldUp) this.giveTick();
    const before = this.ticks;
    this.now += byMs;
    for (let tick = before; tick < this.ticks; tick++) {
      this.isPending = !this.isDisposed;
      if (!isHeldUp) this.giveTick();
    }
  }

  wait(signal: number | undefined): { readonly id: number } | 'concurrent' {
    if (this.waiting !== undefined) return 'concurrent';
    const id = this.ids++;
    if (signal !== undefined && this.aborted.has(signal)) this.settled.push(`${id} reason ${signal}`);
    else if (this.isDisposed) this.settled.push(`${id} false`);
    else {
      this.waiting = { id, signal };
      this.giveTick();
    }
    return { id };
  }

  abort(signal: number): void {
    this.aborted.add(signal);
    if (this.waiting?.signal === signal) this.settle(`reason ${signal}`);
  }

  setPeriod(period: number): boolean {
    if (this.isDisposed) return false;
    this.period = period;
    this.origin = this.now;
    this.giveTick();
    return true;
  }

  dispose(): void {
    this.isDisposed = true;
    this.isPending = false;
    this.settle('false');
  }

  private get ticks(): number {
    return Math.floor((this.now - this.origin) / this.period);
  }

  private giveTick(): void {
    if (!this.isPending || this.waiting === undefined) return;
    this.isPending = false;
    this.settle('true');
  }

  private settle(outcome: string): void {
    if (this.waiting !== undefined) this.settled.push(`${this.waiting.id} ${outcome}`);
    this.waiting = undefined;
  }
}
