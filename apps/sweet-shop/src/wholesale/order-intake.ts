import { Injectable, Logger } from '@nestjs/common';
import type { ConsumeMessage } from 'amqplib';
import {
  DurableTaskQueue,
  InjectTaskQueue,
  InvalidPayloadError,
  QueueClosedError,
  TaskAbandonedError,
  TaskDiscardedError,
  type TaskHandle,
} from 'nestjs-nightshift';
import { readOrder, UnreadableMessageError } from './order-message.js';
import type { Verdict } from './order-subscription.js';
import { packOrder } from './pack-order.js';

/** Longer than it takes to come back to a broker that was lost, and with it a message whose order is packed. */
const window = '10m';

/** Makes each message a task. */
@Injectable()
export class OrderIntake {
  private readonly logger = new Logger(OrderIntake.name);

  constructor(@InjectTaskQueue('wholesale') private readonly queue: DurableTaskQueue) {}

  /** How many orders there is room for. */
  get capacity(): number {
    return this.queue.capacity;
  }

  /**
   * Resolves when the order is safe without the broker: stored by a durable queue, or packed. A message that comes again
   * meanwhile, or soon after, finds the task that it became the first time. Rejects when the queue cannot store it now.
   */
  async take(message: ConsumeMessage): Promise<Verdict> {
    try {
      const order = readOrder(message);
      const deduplicationKey = { key: order.id, window };
      const task = await this.queue.enqueue(packOrder, order, { deduplicationKey, name: `pack ${order.id}` });
      return this.queue.isDurable ? 'acknowledge' : await this.outcomeOf(task);
    } catch (error) {
      if (error instanceof QueueClosedError) return 'leave';
      const isPoison = error instanceof UnreadableMessageError || error instanceof InvalidPayloadError;
      if (!isPoison) throw error;
      return this.refuse(message, error);
    }
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

  private refuse({ properties }: ConsumeMessage, { message }: Error): Verdict {
    this.logger.warn(`Message ${String(properties.messageId)} is put with the dead: ${message}`);
    return { deadLetter: message };
  }
}
