import { Body, Controller, Get, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { OrderPublisher } from './order-publisher.js';
import { OrderReceiver, type Reception } from './order-receiver.js';
import type { WholesaleOrder } from './pack-order.js';
import { WholesaleLedger } from './wholesale-ledger.js';

@Controller('wholesale')
export class WholesaleController {
  constructor(
    private readonly publisher: OrderPublisher,
    private readonly receiver: OrderReceiver,
    private readonly ledger: WholesaleLedger,
  ) {}

  @Post()
  @HttpCode(HttpStatus.ACCEPTED)
  async send(@Body() body: unknown): Promise<{ id: string }> {
    return { id: await this.publisher.publish(body) };
  }

  /** Whether orders are received, and which are packed. */
  @Get()
  orders(): { reception: Reception; packed: readonly WholesaleOrder[] } {
    return { reception: this.receiver.reception, packed: this.ledger.last() };
  }
}
