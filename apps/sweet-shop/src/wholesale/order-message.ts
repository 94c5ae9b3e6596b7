import type { ConsumeMessage } from 'amqplib';
import type { WholesaleOrder } from './pack-order.js';

/** What is no order, and would be none if it came again. */
export class UnreadableMessageError extends Error {
  readonly code = 'UNREADABLE_MESSAGE';
}

/**
 * The order in a message, as it claims to be: whether it is one, the queue finds out by the schema of the task.
 *
 * @throws UnreadableMessageError
 */
export function readOrder({ properties, content }: ConsumeMessage): WholesaleOrder {
  const id: unknown = properties.messageId;
  if (typeof id !== 'string' || id === '')
    throw new UnreadableMessageError(
      'It has no message_id, so a redelivery could not be told from an order.',
    );
  return { ...(parse(content) as WholesaleOrder), id };
}

function parse(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString());
  } catch (cause) {
    throw new UnreadableMessageError(`It is not JSON: ${(cause as Error).message}`, { cause });
  }
}
