import { Logger } from '@nestjs/common';
import { BackgroundService, type TickContext } from 'nestjs-nightshift';
import { OrderRepository } from './order-repository.js';

const keptForMs = 30 * 24 * 60 * 60 * 1_000;

/**
 * Forgets old orders. Each tick has a scope of its own, so the repository, and with it the service, is made anew for it;
 * when the tick has ended, the repository is disposed and its connection is back in the pool, also when it failed.
 */
@BackgroundService({ every: '30m', runOnStart: true, timeout: '1m' })
export class OrderCleanup implements BackgroundService {
  private readonly logger = new Logger(OrderCleanup.name);

  constructor(private readonly orders: OrderRepository) {}

  execute(_stoppingToken: AbortSignal, { startedAt }: TickContext): void {
    const removed = this.orders.removePlacedBefore(new Date(startedAt.getTime() - keptForMs));
    if (removed > 0) this.logger.log(`Removed ${removed} expired order(s)`);
  }
}
