import { AbortWatch, type Abortable } from 'nestjs-nightshift/channels';

interface Waiter extends Abortable {
  release(): void;
}

/** Producers who wait for room in a store, first come first served: each is released to try again. */
export class RoomWaiters {
  private readonly line = new Set<Waiter>();
  private closed: { readonly error: unknown } | undefined;

  /** Rejects with the signal's reason when it is aborted first. */
  wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.closed !== undefined) return Promise.reject(this.closed.error);
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const watch = signal && AbortWatch.over(signal);
      const leave = (): void => {
        this.line.delete(waiter);
        watch?.delete(waiter);
      };
      const waiter: Waiter = {
        release: () => {
          leave();
          resolve();
        },
        abort: (reason) => {
          leave();
          reject(reason);
        },
      };
      this.line.add(waiter);
      watch?.add(waiter);
    });
  }

  release(count: number): void {
    for (const waiter of [...this.line].slice(0, count)) waiter.release();
  }

  releaseAll(): void {
    this.release(this.line.size);
  }

  /** Rejects whoever waits, and whoever comes later: what they asked may have been on its way. */
  close(error: unknown): void {
    this.closed = { error };
    for (const waiter of this.line) waiter.abort(error);
  }
}
