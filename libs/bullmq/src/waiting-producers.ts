import { BackgroundContext, QueueSelfWaitError, type DeliveredRuns } from 'nestjs-nightshift';

/** Tasks that wait for room in the queue that they run in. */
export class WaitingProducers {
  private readonly waiting = new Map<string, number>();

  constructor(
    private readonly queue: string,
    private readonly concurrency: number,
    private readonly runs: DeliveredRuns,
  ) {}

  /** @throws QueueSelfWaitError when every task that runs here waits likewise, so that none would ever make room */
  async waitAsProducer(wait: () => Promise<void>): Promise<void> {
    const context = BackgroundContext.current();
    if (context === undefined || !this.runs.has(context.id)) return wait();
    const { id } = context;
    const others = this.waiting.has(id) ? this.waiting.size : this.waiting.size + 1;
    if (others >= this.concurrency) throw new QueueSelfWaitError(this.queue, this.concurrency);
    this.waiting.set(id, (this.waiting.get(id) ?? 0) + 1);
    try {
      await wait();
    } finally {
      const left = this.waiting.get(id)! - 1;
      if (left > 0) this.waiting.set(id, left);
      else this.waiting.delete(id);
    }
  }
}
