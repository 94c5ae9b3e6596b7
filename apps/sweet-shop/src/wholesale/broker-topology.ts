import type { Channel } from 'amqplib';
import type { ShopConfig } from '../shop.config.js';

/** What there is at the broker. */
export interface BrokerTopology {
  /** The queue that wholesalers send their orders to. */
  readonly orders: string;
  /** The exchange, and the queue behind it, for messages that cannot become an order. */
  readonly dead: string;
}

/** How often a message may come back, with nobody to say what is wrong with it, before it is put with the dead. */
const deliveryLimit = 20;

export function brokerTopology({ name }: ShopConfig): BrokerTopology {
  return { orders: `${name}.wholesale`, dead: `${name}.wholesale.dead` };
}

/** The broker rejects this when there is such a queue already, and it was made otherwise. */
export async function declareTopology(channel: Channel, { orders, dead }: BrokerTopology): Promise<void> {
  await channel.assertExchange(dead, 'fanout');
  await channel.assertQueue(dead, { arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue(dead, dead, '');
  await channel.assertQueue(orders, {
    arguments: {
      'x-queue-type': 'quorum',
      // A message that ends the process each time is not delivered for ever.
      'x-delivery-limit': deliveryLimit,
      'x-dead-letter-exchange': dead,
      // It stays here until it is there; RabbitMQ wants `reject-publish` with it.
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    },
  });
}
