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

@Module({
  imports: [
    ShopConfigModule,
    BackgroundModule.forRootAsync({ inject: [ShopConfig], useFactory: backgroundOptions }),
    PhotosModule,
    CustomersModule,
    MailModule,
    OrdersModule,
    RecipesModule,
    SyrupModule,
    LogsModule,
    NightShiftModule,
  ],
})
export class AppModule {}

function backgroundOptions({ photos, smtpUrl, nightShiftFile }: ShopConfig): BackgroundModuleOptions {
  return {
    // With a file, photos and mails survive a crash.
    engine: nightShiftFile === undefined ? undefined : sqliteEngine({ file: nightShiftFile }),
    // The default queue resizes photos.
    queue: { concurrency: photos.atOnce, capacity: photos.waiting, timeout: '1m' },
    // With a real mail server there is no use for our own.
    enabled: ({ name }) => name !== CatchAllMailServer.name || smtpUrl === undefined,
  };
}
