import { setTimeout as sleep } from 'node:timers/promises';
import type { EnqueueOptions, TaskHandle, TaskQueue } from 'nestjs-nightshift';
import type { Diary } from './diary.js';
import { work, type Piece } from './work.js';

/** How many of its tasks may be under way at once: what it enqueues must not pile up where everything is slow. */
const mostUnderWay = 150;
const restMs = 20;
/** After how long what was refused is enqueued again. */
const againMs = 100;

/** What calls reject with for want of a server. */
const unreachable = /^(REDIS|POSTGRES)_UNREACHABLE$/;

/** Enqueues tasks of all kinds. What is refused, for want of a server, it enqueues again until it is accepted. */
export class Producer {
  private readonly underWay = new Set<Promise<void>>();
  private readonly refusals = new Map<string, number>();
  private isEnough = false;
  private ordered = 0;

  constructor(
    private readonly queue: TaskQueue,
    private readonly diary: Diary,
    private lastRandom: number,
  ) {}

  /** @param isSafe each task has a `deduplicationKey` of its own, so that enqueueing it again makes no other */
  async begin(together: number, isSafe: boolean): Promise<void> {
    while (!this.isEnough) {
      if (this.underWay.size < mostUnderWay) for (let i = 0; i < together; i += 1) this.order(isSafe);
      await sleep(restMs);
    }
  }

  /** Says so when everything that was enqueued has come to its end. */
  async end(): Promise<void> {
    this.isEnough = true;
    while (this.underWay.size > 0) await Promise.all(this.underWay);
    const refusals = [...this.refusals].map(([code, count]) => ` ${code}=${count}`).join('');
    console.log(`all done ${this.ordered}${refusals}`);
  }

  /** Resolves when it is accepted. */
  async enqueue(piece: Piece, options: EnqueueOptions): Promise<TaskHandle> {
    for (;;) {
      try {
        const handle = await this.queue.enqueue(work, piece, options);
        this.diary.note('ack', handle.id, process.pid);
        return handle;
      } catch (error) {
        const code = codeOf(error);
        const before = this.refusals.get(code) ?? 0;
        this.refusals.set(code, before + 1);
        if (before === 0) console.log(`refused: ${code}`);
        await sleep(againMs);
      }
    }
  }

  /** Writes it down when the task has come to its end. While there is no server, it asks again. */
  async untilDone(handle: TaskHandle): Promise<void> {
    for (;;) {
      try {
        await handle.result();
        return this.diary.note('done', handle.id, process.pid);
      } catch (error) {
        if (!unreachable.test(codeOf(error)))
          return this.diary.note('trouble', handle.id, process.pid, String(error));
        await sleep(againMs);
      }
    }
  }

  private order(isSafe: boolean): void {
    this.ordered += 1;
    const [piece, options] = this.anything();
    const deduplicationKey = { key: `order-${process.pid}-${this.ordered}`, window: '1h' } as const;
    const order = this.enqueue(piece, isSafe ? { ...options, deduplicationKey } : options)
      .then((handle) => this.untilDone(handle))
      .finally(() => this.underWay.delete(order));
    this.underWay.add(order);
  }

  private anything(): readonly [Piece, EnqueueOptions] {
    const key = `customer-${this.below(4)}`;
    const lasts = this.below(50) === 0 ? 300 : this.below(15);
    const kinds: readonly (readonly [Piece, EnqueueOptions])[] = [
      [{ lasts }, {}],
      [{ lasts }, { priority: this.below(5) }],
      [{ lasts }, { delay: 20 + this.below(300) }],
      [{ lasts, failures: 1 }, {}],
      [{ lasts: this.below(5), key }, { concurrencyKey: key }],
    ];
    return kinds[this.below(kinds.length)]!;
  }

  /** The same ones for the same seed. */
  private below(end: number): number {
    this.lastRandom = (Math.imul(this.lastRandom, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.lastRandom / 2 ** 32) * end);
  }
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}
