import { Logger } from '@nestjs/common';
import { TaskHandler, type TaskContext } from 'nestjs-nightshift';
import { packOrder, type WholesaleOrder } from './pack-order.js';
import { PackingTable } from './packing-table.js';
import { WholesaleLedger } from './wholesale-ledger.js';

/** Packs an order once, however often it arrives: after a crash the broker, or the queue, brings it again. */
@TaskHandler(packOrder)
export class OrderPacker implements TaskHandler<typeof packOrder> {
  private readonly logger = new Logger(OrderPacker.name);

  constructor(
    private readonly table: PackingTable,
    private readonly ledger: WholesaleLedger,
  ) {}

  async handle(order: WholesaleOrder, { signal }: TaskContext): Promise<void> {
    if (this.ledger.has(order.id)) return this.logger.warn(`Order ${order.id} was packed already`);
    await this.table.pack(order, signal);
    this.ledger.add(order);
    this.logger.log(`Packed order ${order.id}: ${order.amount} x ${order.sweet} for ${order.customer}`);
  }
}
