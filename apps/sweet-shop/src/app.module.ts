import { Module } from '@nestjs/common';
import { BackgroundModule } from 'nestjs-nightshift';
import { CustomersModule } from './customers/customers.module.js';
import { LogsModule } from './logs/logs.module.js';
import { MailModule } from './mail/mail.module.js';
import { backgroundOptions } from './night-shift/background-options.js';
import { NightShiftModule } from './night-shift/night-shift.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { PhotosModule } from './photos/photos.module.js';
import { RecipesModule } from './recipes/recipes.module.js';
import { ShopConfig, ShopConfigModule } from './shop.config.js';
import { SyrupModule } from './syrup/syrup.module.js';
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
