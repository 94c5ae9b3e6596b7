import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  BackgroundEvents,
  BackgroundHost,
  BackgroundModule,
  getTaskQueueToken,
  type TaskQueue,
} from 'nestjs-nightshift';
import { expect, onTestFinished, vi } from 'vitest';
import { backgroundOptions } from '../../../apps/sweet-shop/src/night-shift/background-options.js';
import { ShopConfig, ShopConfigModule } from '../../../apps/sweet-shop/src/shop.config.js';
import { OrderReceiver } from '../../../apps/sweet-shop/src/wholesale/order-receiver.js';
import { PackingTable } from '../../../apps/sweet-shop/src/wholesale/packing-table.js';
import { WholesaleModule } from '../../../apps/sweet-shop/src/wholesale/wholesale.module.js';
import { Wholesaler } from './rabbitmq.js';

/** What of the shop has to do with the broker. */
@Module({
  imports: [
    ShopConfigModule,
    BackgroundModule.forRootAsync({ inject: [ShopConfig], useFactory: backgroundOptions }),
    WholesaleModule,
  ],
})
class Wholesale {}

export interface ShopOptions {
  /** Where the shop finds the broker, if not where the wholesaler does. */
  readonly shopUrl?: string;
  /** What is done with an order, when something is. */
  readonly pack?: (id: string) => Promise<void> | void;
  readonly isDurable?: boolean;
  readonly shutdownTimeout?: string;
  /** What there is at the broker before the shop comes. */
  readonly prepare?: (wholesaler: Wholesaler) => Promise<void>;
}

/** A sweet shop that receives orders, with queues of its own at the broker. All is gone after the test. */
export async function openShop(url: string, options: ShopOptions = {}) {
  const { shopUrl = url, pack = () => {}, isDurable = false, shutdownTimeout = '10s', prepare } = options;
  const name = `nightshift_test_${randomUUID().slice(0, 8)}`;
  const dataDir = await mkdtemp(join(tmpdir(), 'wholesale-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const wholesaler = await Wholesaler.connect(url, name);
  await prepare?.(wholesaler);
  const config = new ShopConfig({
    SHOP_DATA: dataDir,
    SHOP_NAME: name,
    AMQP_URL: shopUrl,
    SHUTDOWN_TIMEOUT: shutdownTimeout,
    ...(isDurable && { NIGHTSHIFT_FILE: join(dataDir, 'tasks.db') }),
  });
  const app = await Test.createTestingModule({ imports: [Wholesale] })
    .overrideProvider(ShopConfig)
    .useValue(config)
    .compile();
  const packed: string[] = [];
  vi.spyOn(app.get(PackingTable), 'pack').mockImplementation(async ({ id }) => {
    await pack(id);
    packed.push(id);
  });
  const started: string[] = [];
  app.get(BackgroundEvents).on('task.started', ({ name: task }) => started.push(task));
  app.useLogger(false);
  await app.init();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= app.close());
  onTestFinished(close, 20_000);
  const receiver = app.get(OrderReceiver);
  const state = (): string => receiver.reception.state;
  await expect.poll(state).not.toBe('connecting');
  return {
    wholesaler,
    /** The ids of the orders in the order in which they were packed; one that was packed twice is there twice. */
    packed,
    /** What the tasks are called that have begun. */
    started,
    state,
    close,
    host: app.get(BackgroundHost),
    queue: app.get<TaskQueue>(getTaskQueueToken('wholesale')),
  };
}
