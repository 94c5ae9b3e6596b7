import { Module } from '@nestjs/common';
import { LogCleanup } from './log-cleanup.js';
import { ShopLog } from './shop-log.js';

@Module({ providers: [ShopLog, LogCleanup] })
export class LogsModule {}
