import { Body, Controller, Get, Post } from '@nestjs/common';
import { ServiceScopeFactory } from 'nestjs-nightshift';
import { parseOrder, type Order } from './order.js';
import { OrderRepository } from './order-repository.js';

/**
 * Opens a scope by hand. Were the repository injected here, Nest would make one for each request, but dispose none, and
 * the pool would never see its connections again.
 */
@Controller('orders')
export class OrdersController {
  constructor(private readonly scopes: ServiceScopeFactory) {}

  @Post()
  async place(@Body() body: unknown): Promise<Order> {
    const order = parseOrder(body);
    return this.scopes.run(async (scope) => {
      const orders = await scope.resolve(OrderRepository);
      return { id: orders.add(order), ...order };
    });
  }

  @Get()
  all(): Promise<Order[]> {
    return this.scopes.run(async (scope) => (await scope.resolve(OrderRepository)).all());
  }
}
