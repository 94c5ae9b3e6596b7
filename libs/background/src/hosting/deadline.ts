import { AbortWatch, type Abortable, type Clock, type ClockTimer } from 'nestjs-nightshift/channels';

/**
 * A signal that is aborted after a time, or when another signal is, whichever comes first. Owns a timer and listeners:
 * dispose it when whatever it bounds has ended.
 */
export class Deadline implements Disposable, Abortable {
  private readonly controller = new AbortController();
  private readonly timer: ClockTimer | undefined;
  private readonly unlink: (() => void)[] = [];

  readonly signal: AbortSignal = this.controller.signal;
  /** Whether the time is what aborted it. */
  expired = false;

  /**
   * @param afterMs the time; `Infinity` for none
   * @param reason makes the reason of the signal when the time is up
   * @param linked signals whose abort is passed on, with their reason
   */
  constructor(
    clock: Clock,
    afterMs: number,
    reason: () => unknown,
    linked: readonly (AbortSignal | undefined)[] = [],
  ) {
    for (const signal of linked) if (signal !== undefined && !this.signal.aborted) this.link(signal);
    if (Number.isFinite(afterMs) && !this.signal.aborted) {
      this.timer = clock.schedule(afterMs, () => {
        this.expired = true;
        this.abort(reason());
      });
    }
  }

  [Symbol.dispose](): void {
    this.timer?.cancel();
    for (const unlink of this.unlink.splice(0)) unlink();
  }

  private link(signal: AbortSignal): void {
    if (signal.aborted) return this.abort(signal.reason);
    const watch = AbortWatch.over(signal);
    watch.add(this);
    this.unlink.push(() => watch.delete(this));
  }

  /** Aborts it early. */
  abort(reason: unknown): void {
    this[Symbol.dispose]();
    this.controller.abort(reason);
  }
}

/**
 * Waits for `work`, but once `signal` is aborted only for a few more turns of the event loop: enough for work that heeds
 * the signal, and an end to waiting for work that does not. Rejects if `work` does within that time.
 *
 * @param turns how many: one, unless `work` itself waits in this way for something
 * @returns whether `work` has ended
 */
export async function endedBy(work: Promise<unknown>, signal: AbortSignal, turns = 1): Promise<boolean> {
  const patience = new AbortController();
  const abandoned = abortOf(signal, patience.signal).then(async () => {
    for (let turn = 0; turn < turns; turn += 1) await nextTurn();
    return false;
  });
  try {
    return await Promise.race([work.then(() => true), abandoned]);
  } finally {
    patience.abort();
  }
}

/** Resolves when `signal` is aborted, unless `end` is before: then never. */
function abortOf(signal: AbortSignal, end: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { signal: end });
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
