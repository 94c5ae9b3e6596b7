// Loaded before anything else: the clock of this process is ahead of that of the machine, or behind it.
interface Shifted {
  readonly aheadMs: number;
}

const { aheadMs } = JSON.parse(process.argv[2]!) as Shifted;
const RealDate = Date;

class ShiftedDate extends RealDate {
  constructor(...given: [] | [number | string | Date]) {
    if (given.length === 0) super(RealDate.now() + aheadMs);
    else super(given[0]);
  }

  static override now(): number {
    return RealDate.now() + aheadMs;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
