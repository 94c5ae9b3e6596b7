import { exponential, type Clock } from 'nestjs-nightshift/channels';

/** How long a storage that failed is left alone. */
const pauses = exponential({ initial: '1s', max: '30s' });

/** One question to a storage, put again after a pause as long as it fails and nobody gives it up. */
export class StorageCall<T> {
  private isGivenUp = false;
  private endPause: (() => void) | undefined;

  /** @param onFailed hears of each failure, and after how long the question is put again, if it is */
  constructor(
    private readonly clock: Clock,
    private readonly ask: () => Promise<T>,
    private readonly onFailed: (error: unknown, retryInMs: number | undefined) => void,
  ) {}

  /**
   * Asks. Called once; never rejects.
   *
   * @returns the answer; `undefined` when it was given up before there was one
   */
  async run(): Promise<{ readonly answer: T } | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return { answer: await this.ask() };
      } catch (error) {
        const retryInMs = this.isGivenUp ? undefined : pauses.delayMs(attempt);
        this.onFailed(error, retryInMs);
        if (retryInMs !== undefined && !this.isGivenUp) await this.pause(retryInMs);
        if (this.isGivenUp) return undefined;
      }
    }
  }

  /** It is not put again. An answer that is under way still counts. */
  giveUp(): void {
    this.isGivenUp = true;
    this.endPause?.();
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.clock.schedule(ms, () => this.endPause?.());
      this.endPause = () => {
        timer.cancel();
        this.endPause = undefined;
        resolve();
      };
    });
  }
}
