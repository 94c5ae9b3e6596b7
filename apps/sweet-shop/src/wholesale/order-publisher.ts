import { randomUUID } from 'node:crypto';
import { Injectable, NotFoundException } from '@nestjs/common';
import { connect } from 'amqplib';
import { ShopConfig } from '../shop.config.js';
import { brokerTopology, declareTopology } from './broker-topology.js';

/** Plays the wholesaler, to try the shop with. It connects for each order; whoever sends many keeps the connection. */
@Injectable()
export class OrderPublisher {
  constructor(private readonly config: ShopConfig) {}

  /** Resolves with the id of the message when the broker has it. Sends whatever it is given, to see what becomes of it. */
  async publish(body: unknown): Promise<string> {
    const { amqpUrl } = this.config;
    if (amqpUrl === undefined)
      throw new NotFoundException('There is no wholesale without AMQP_URL, such as amqp://localhost.');
    const connection = await connect(amqpUrl, { timeout: 5_000 });
    connection.on('error', () => {}); // whoever waits below is told
    try {
      const channel = await connection.createConfirmChannel();
      channel.on('error', () => {}); // the same
      const topology = brokerTopology(this.config);
      await declareTopology(channel, topology);
      const messageId = randomUUID();
      const content = Buffer.from(JSON.stringify(body));
      channel.sendToQueue(topology.orders, content, { messageId, persistent: true });
      await channel.waitForConfirms();
      return messageId;
    } finally {
      await connection.close().catch(() => {}); // it may be closed already
    }
  }
}
