import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { BackgroundService, exponential } from 'nestjs-nightshift';
import { ShopConfig } from '../shop.config.js';
import { brokerTopology } from './broker-topology.js';
import { OrderIntake } from './order-intake.js';
import { BrokerRefusedError, OrderSubscription } from './order-subscription.js';

/** How things stand with the broker. */
export interface Reception {
  readonly state: 'off' | 'connecting' | 'receiving' | 'lost';
  readonly since: Date;
  /** Why it was lost. */
  readonly reason?: string;
}

const backoff = exponential({ initial: '500ms', factor: 2, max: '30s', jitter: 0.2 });

/**
 * Receives orders for as long as the shop is open. A broker that is away is no fault of ours: it is told once, and tried
 * again until it is back. One that refuses is: the service is `faulted` then, and the rest of the shop goes on.
 */
@BackgroundService({ exceptionBehavior: 'ignore' })
export class OrderReceiver implements BackgroundService {
  private readonly logger = new Logger(OrderReceiver.name);
  private current: Reception = { state: 'off', since: new Date() };

  constructor(
    private readonly config: ShopConfig,
    private readonly intake: OrderIntake,
  ) {}

  get reception(): Reception {
    return this.current;
  }

  async execute(stoppingToken: AbortSignal): Promise<void> {
    this.note({ state: 'connecting', since: new Date() });
    let failures = 0;
    while (!stoppingToken.aborted) {
      try {
        const subscription = await this.subscribe(stoppingToken);
        failures = 0;
        await subscription.untilEnd();
      } catch (error) {
        this.noteLost(error);
        if (error instanceof BrokerRefusedError) throw error;
        failures += 1;
        await sleep(backoff.delayMs(failures), undefined, { signal: stoppingToken }).catch(() => {});
      }
    }
    this.note({ state: 'off', since: new Date() });
  }

  private async subscribe(stopping: AbortSignal): Promise<OrderSubscription> {
    const topology = brokerTopology(this.config);
    const subscription = await OrderSubscription.open({
      url: this.config.amqpUrl!, // or the service would be disabled
      topology,
      prefetch: this.intake.capacity,
      take: (message, signal) => this.intake.take(message, signal),
      stopping,
    });
    const { state, since } = this.current;
    const back = state === 'lost' ? `The broker is back after ${seconds(since)} s. ` : '';
    this.logger.log(`${back}Receiving orders from '${topology.orders}'`);
    this.note({ state: 'receiving', since: new Date() });
    return subscription;
  }

  /** However often it is tried, one line. */
  private noteLost(error: unknown): void {
    if (this.current.state === 'lost') return;
    const reason = error instanceof Error ? error.message : String(error);
    this.logger.warn(`The broker is lost, and tried again until it is back: ${reason}`);
    this.note({ state: 'lost', since: new Date(), reason });
  }

  private note(reception: Reception): void {
    this.current = reception;
  }
}

function seconds(since: Date): string {
  return ((Date.now() - since.getTime()) / 1_000).toFixed(1);
}
