import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { ConsumeMessage } from 'amqplib';
import {
  DurableTaskQueue,
  exponential,
  InjectTaskQueue,
  InvalidPayloadError,
  TaskAbandonedError,
  TaskDiscardedError,
  type TaskHandle,
} from 'nestjs-nightshift';
import { readOrder, UnreadableMessageError } from './order-message.js';
import type { Verdict } from './order-subscription.js';
import { packOrder, type WholesaleOrder } from './pack-order.js';

/** Longer than it takes to come back to a broker that was lost, and with it a message whose order is packed. */
const window = '10m';
const backoff = exponential({ initial: '200ms', factor: 2, max: '10s', jitter: 0.2 });

/** Makes each message a task. */
@Injectable()
export class OrderIntake {
  private readonly logger = new Logger(OrderIntake.name);
  private isStoring = true;

  constructor(@InjectTaskQueue('wholesale') private readonly queue: DurableTaskQueue) {}

  /** How many orders there is room for. */
  get capacity(): number {
    return this.queue.capacity;
  }

  /** Resolves when the order is safe without the broker: stored by a durable queue, or packed. */
  async take(message: ConsumeMessage, signal: AbortSignal): Promise<Verdict> {
    try {
      const task = await this.enqueue(readOrder(message), signal);
      if (task === undefined) return 'leave';
      return this.queue.isDurable ? 'acknowledge' : await this.outcomeOf(task);
    } catch (error) {
      const isPoison = error instanceof UnreadableMessageError || error instanceof InvalidPayloadError;
      if (!isPoison) throw error;
      this.logger.warn(`Message ${message.properties.messageId} is put with the dead: ${error.message}`);
      return { deadLetter: error.message };
    }
  }

  /**
   * An order that comes again, now or soon after, finds the task that it became the first time. What cannot be stored now
   * is kept and tried again: given back, it would come again at once, and use up its deliveries.
   */
  private async enqueue(order: WholesaleOrder, signal: AbortSignal): Promise<TaskHandle | undefined> {
    const deduplicationKey = { key: order.id, window };
    const options = { deduplicationKey, name: `pack ${order.id}`, signal };
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        const task = await this.queue.enqueue(packOrder, order, options);
        this.noteStoring(true);
        return task;
      } catch (error) {
        if (error instanceof InvalidPayloadError) throw error;
        if (!signal.aborted) this.noteStoring(false, error);
        await sleep(backoff.delayMs(failures), undefined, { signal }).catch(() => {});
      }
    }
    return undefined;
  }

  private async outcomeOf(task: TaskHandle): Promise<Verdict> {
    try {
      await task.result();
    } catch (error) {
      if (error instanceof TaskAbandonedError) return 'leave'; // the shop closes; the next one packs it
      if (!(error instanceof TaskDiscardedError)) return { deadLetter: String(error) };
    }
    return 'acknowledge';
  }

  private noteStoring(isStoring: boolean, error?: unknown): void {
    if (isStoring === this.isStoring) return;
    this.isStoring = isStoring;
    if (isStoring) this.logger.log('Orders are stored again');
    else this.logger.warn(`Orders cannot be stored, which is tried again until they can: ${String(error)}`);
  }
}
