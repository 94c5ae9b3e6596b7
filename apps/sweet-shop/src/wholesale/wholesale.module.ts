import { Module } from '@nestjs/common';
import { BackgroundModule } from 'nestjs-nightshift';
import { DatabaseModule } from '../database/database.module.js';
import { OrderIntake } from './order-intake.js';
import { OrderPacker } from './order-packer.js';
import { OrderPublisher } from './order-publisher.js';
import { OrderReceiver } from './order-receiver.js';
import { PackingTable } from './packing-table.js';
import { WholesaleController } from './wholesale.controller.js';
import { WholesaleLedger } from './wholesale-ledger.js';

@Module({
  imports: [
    DatabaseModule,
    // As many messages are held as this has capacity; what the broker has not delivered is for others to take.
    BackgroundModule.registerQueue({ name: 'wholesale', capacity: 20, concurrency: 5, timeout: '1m' }),
  ],
  controllers: [WholesaleController],
  providers: [OrderIntake, OrderPacker, OrderPublisher, OrderReceiver, PackingTable, WholesaleLedger],
})
export class WholesaleModule {}
