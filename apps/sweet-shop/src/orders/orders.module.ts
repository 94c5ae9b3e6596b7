import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/database.module.js';
import { OrderCleanup } from './order-cleanup.js';
import { OrderRepository } from './order-repository.js';
import { OrdersController } from './orders.controller.js';

@Module({
  imports: [DatabaseModule],
  controllers: [OrdersController],
  providers: [OrderRepository, OrderCleanup],
})
export class OrdersModule {}
