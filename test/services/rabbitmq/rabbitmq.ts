import { connect, type ChannelModel, type ConfirmChannel, type GetMessage } from 'amqplib';
import { onTestFinished } from 'vitest';
import type { Service } from '../service.js';

export const rabbitmq: Service = {
  name: 'RabbitMQ',
  variable: 'AMQP_URL',
  defaultUrl: 'amqp://guest:guest@127.0.0.1:5672',
  async check(url) {
    const connection = await connect(url, { timeout: 2_000 });
    await connection.close();
  },
};

/** The wholesaler's side of a test: sends orders, and looks at what the broker has. Its queues are gone after the test. */
export class Wholesaler {
  private sent = 0;

  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
    private readonly queue: string,
  ) {}

  /** @param shop what the queues of the shop begin with; it has to have made them before anything is sent */
  static async connect(url: string, shop: string): Promise<Wholesaler> {
    const connection = await connect(url, { timeout: 5_000 });
    const wholesaler = new Wholesaler(
      connection,
      await connection.createConfirmChannel(),
      `${shop}.wholesale`,
    );
    onTestFinished(() => wholesaler.leave());
    return wholesaler;
  }

  /** Sends as many orders. Resolves with their ids when the broker has them. */
  async order(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => `order-${(this.sent += 1)}`);
    const content = JSON.stringify({ customer: 'Kiosk', sweet: 'fudge', amount: 100 });
    for (const id of ids) this.publish(content, id);
    await this.channel.waitForConfirms();
    return ids;
  }

  /** Sends whatever it is given. */
  async send(content: string, messageId?: string): Promise<void> {
    this.publish(content, messageId);
    await this.channel.waitForConfirms();
  }

  /** How many orders the broker has not delivered. */
  async waiting(): Promise<number> {
    return (await this.channel.checkQueue(this.queue)).messageCount;
  }

  /** Makes the orders queue other than the shop would. */
  async spoilTopology(): Promise<void> {
    await this.channel.assertQueue(this.queue, { arguments: { 'x-queue-type': 'classic' } });
  }

  /** Takes the next order and goes away with it, as somebody does who dies of it. @returns whether there was one */
  async die(): Promise<boolean> {
    const channel = await this.connection.createChannel();
    const message = await channel.get(this.queue);
    await channel.close();
    return message !== false;
  }

  /** Takes the next of those that could not become an order. */
  async dead(): Promise<GetMessage | undefined> {
    return (await this.channel.get(`${this.queue}.dead`, { noAck: true })) || undefined;
  }

  private publish(content: string, messageId: string | undefined): void {
    this.channel.sendToQueue(this.queue, Buffer.from(content), {
      persistent: true,
      ...(messageId !== undefined && { messageId }),
    });
  }

  private async leave(): Promise<void> {
    await this.channel.deleteQueue(this.queue);
    await this.channel.deleteQueue(`${this.queue}.dead`);
    await this.channel.deleteExchange(`${this.queue}.dead`);
    await this.connection.close();
  }
}
