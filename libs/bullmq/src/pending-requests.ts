import type { Clock, ClockTimer } from 'nestjs-nightshift/channels';

interface PendingRequest {
  readonly during: string;
  readonly sentAt: number;
  reject(error: unknown): void;
}

/** What a server has been asked and has not answered yet. A connection can be dead without anybody saying so: time tells. */
export class PendingRequests {
  private readonly requests = new Set<PendingRequest>();
  private timer: ClockTimer | undefined;

  /**
   * @param patienceMs how long an answer may take
   * @param onSilent is told when one took longer, once for all that wait
   */
  constructor(
    private readonly patienceMs: number,
    private readonly clock: Pick<Clock, 'monotonic' | 'schedule'>,
    private readonly onSilent: () => void,
  ) {}

  send<T>(during: string, send: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const request: PendingRequest = { during, sentAt: this.clock.monotonic(), reject };
      this.requests.add(request);
      this.timer ??= this.armed(this.patienceMs);
      send().then(
        (value) => {
          this.requests.delete(request);
          return resolve(value);
        },
        (error: unknown) => {
          this.requests.delete(request);
          reject(error);
        },
      );
    });
  }

  rejectAll(toError: (during: string) => unknown): void {
    for (const { during, reject } of this.requests) reject(toError(during));
    this.requests.clear();
  }

  close(): void {
    this.timer?.cancel();
  }

  private armed(delayMs: number): ClockTimer {
    // When this process itself has stood still, the answers are there and have not been read: that comes first.
    return this.clock.schedule(delayMs, () => setImmediate(() => this.look()));
  }

  private look(): void {
    this.timer = undefined;
    const [oldest] = this.requests;
    if (oldest === undefined) return;
    const leftMs = oldest.sentAt + this.patienceMs - this.clock.monotonic();
    if (leftMs > 0) this.timer = this.armed(leftMs);
    else this.onSilent();
  }
}
