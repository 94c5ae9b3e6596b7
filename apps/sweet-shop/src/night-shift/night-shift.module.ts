import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { DatabaseModule } from '../database/database.module.js';
import { BackgroundErrorFilter } from './background-error.filter.js';
import { NightShiftController } from './night-shift.controller.js';

@Module({
  imports: [DatabaseModule],
  controllers: [NightShiftController],
  providers: [{ provide: APP_FILTER, useClass: BackgroundErrorFilter }],
})
export class NightShiftModule {}
