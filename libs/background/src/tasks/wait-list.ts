/** Those who wait for one thing to come about, however often it does. */
export class WaitList {
  private waiters: (() => void)[] = [];

  get isEmpty(): boolean {
    return this.waiters.length === 0;
  }

  /** Resolves at the next {@link release}. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  release(): void {
    if (this.waiters.length === 0) return;
    const waiters = this.waiters;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}
