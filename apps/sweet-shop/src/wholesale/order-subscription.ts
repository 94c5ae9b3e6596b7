import { connect, type ChannelModel, type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import { declareTopology, type BrokerTopology } from './broker-topology.js';

/** What becomes of a message. One that is left goes back to the broker when the connection ends. */
export type Verdict = 'acknowledge' | 'leave' | { readonly deadLetter: string };

export interface SubscriptionOptions {
  readonly url: string;
  readonly topology: BrokerTopology;
  /** How many messages are held at most. */
  readonly prefetch: number;
  /** Decides on one message, and gives up with `'leave'` when the signal is aborted. Not to reject. */
  readonly take: (message: ConsumeMessage, signal: AbortSignal) => Promise<Verdict>;
  /** Is aborted when the shop stops. */
  readonly stopping: AbortSignal;
}

/** The broker will not have it this way, and would not if it were asked again. */
export class BrokerRefusedError extends Error {
  readonly code = 'BROKER_REFUSED';
}

/** ACCESS_REFUSED and PRECONDITION_FAILED: a permission that is missing, a queue that was made otherwise. */
const refusals = [403, 406];

/** Takes orders from the broker by one connection, until that breaks or the shop stops. */
export class OrderSubscription {
  private readonly held = new Set<Promise<void>>();
  private readonly broken = new AbortController();
  /** Aborted when it is broken, or to end. */
  private readonly ending: AbortSignal;
  private consumerTag = '';

  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
    private readonly options: SubscriptionOptions,
  ) {
    this.ending = AbortSignal.any([this.broken.signal, options.stopping]);
    channel.on('error', (error) => this.broken.abort(error));
    connection.on('error', (error) => this.broken.abort(error));
    connection.on('close', (error) => this.broken.abort(error)); // told why when the broker shuts down
  }

  /** @throws BrokerRefusedError */
  static async open(options: SubscriptionOptions): Promise<OrderSubscription> {
    const connection = await connect(options.url, { timeout: 5_000 });
    connection.on('error', () => {}); // without a listener it would end the process
    try {
      const channel = await connection.createConfirmChannel();
      const subscription = new OrderSubscription(connection, channel, options);
      await subscription.begin();
      return subscription;
    } catch (error) {
      await connection.close().catch(() => {}); // it may be closed already
      const { code, message } = error as Error & { code?: number };
      throw refusals.includes(code!) ? new BrokerRefusedError(message, { cause: error }) : error;
    }
  }

  /**
   * Resolves when the shop stops and everything that is held is settled. Rejects when the subscription breaks; the
   * broker then delivers again what was not acknowledged.
   */
  async untilEnd(): Promise<void> {
    try {
      await aborted(this.ending);
      this.broken.signal.throwIfAborted();
      await this.channel.cancel(this.consumerTag); // nothing more is delivered from here on
      await Promise.all(this.held);
      await this.channel.close(); // answered after all acknowledgements
    } finally {
      await this.connection.close().catch(() => {}); // it may be closed already
    }
  }

  private async begin(): Promise<void> {
    await declareTopology(this.channel, this.options.topology);
    await this.channel.prefetch(this.options.prefetch);
    const { consumerTag } = await this.channel.consume(this.options.topology.orders, (message) => {
      if (message === null) return this.broken.abort(new Error('The queue was deleted'));
      const settled = this.settle(message).finally(() => this.held.delete(settled));
      this.held.add(settled);
    });
    this.consumerTag = consumerTag;
  }

  /** Never rejects. */
  private async settle(message: ConsumeMessage): Promise<void> {
    try {
      const verdict = await this.options.take(message, this.ending);
      if (verdict === 'leave' || this.broken.signal.aborted) return;
      if (verdict !== 'acknowledge') await this.deadLetter(message, verdict.deadLetter);
      this.channel.ack(message);
    } catch (error) {
      this.broken.abort(error);
    }
  }

  /** By hand, since the broker's own dead-lettering has no room for a reason. */
  private async deadLetter({ properties, content }: ConsumeMessage, reason: string): Promise<void> {
    const { messageId, contentType, headers } = properties;
    const options = { messageId, contentType, headers: { ...headers, 'x-reason': reason }, persistent: true };
    this.channel.publish(this.options.topology.dead, '', content, options);
    await this.channel.waitForConfirms(); // it is there before it is gone here
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
