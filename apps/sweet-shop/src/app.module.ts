import { Module } from '@nestjs/common';
import { BackgroundModule, type BackgroundModuleOptions } from 'nestjs-nightshift';
import { sqliteEngine } from 'nestjs-nightshift/sqlite';
import { CustomersModule } from './customers/customers.module.js';
import { LogsModule } from './logs/logs.module.js';
import { CatchAllMailServer } from './mail/catch-all-mail-server.js';
import { MailModule } from './mail/mail.module.js';
import { NightShiftModule } from './night-shift/night-shift.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { PhotosModule } from './photos/photos.module.js';
import { RecipesModule } from './recipes/recipes.module.js';
import { ShopConfig, ShopConfigModule } from './shop.config.js';
import { SyrupModule } from './syrup/syrup.module.js';
import { OrderReceiver } from './wholesale/order-receiver.js';
import { WholesaleModule } from './wholesale/wholesale.module.js';

@Module({
  imports: [
    ShopConfigModule,
    BackgroundModule.forRootAsync({ inject: [ShopConfig], useFactory: backgroundOptions }),
    PhotosModule,
    CustomersModule,
    MailModule,
    OrdersModule,
    WholesaleModule,
    RecipesModule,
    SyrupModule,
    LogsModule,
    NightShiftModule,
  ],
})
export class AppModule {}

function backgroundOptions(config: ShopConfig): BackgroundModuleOptions {
  const { photos, nightShiftFile, shutdownTimeout } = config;
  return {
    shutdownTimeout,
    // With a file, photos and mails survive a crash.
    engine: nightShiftFile === undefined ? undefined : sqliteEngine({ file: nightShiftFile }),
    // The default queue resizes photos.
    queue: { concurrency: photos.atOnce, capacity: photos.waiting, timeout: '1m' },
    enabled: ({ name }) => isOfUse(name, config),
  };
}

/** There is nothing to receive without a broker, and with a real mail server there is no use for our own. */
function isOfUse(service: string, { amqpUrl, smtpUrl }: ShopConfig): boolean {
  if (service === OrderReceiver.name) return amqpUrl !== undefined;
  return service !== CatchAllMailServer.name || smtpUrl === undefined;
}
