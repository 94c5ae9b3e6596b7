import { Module } from '@nestjs/common';
import { SyrupStirrer } from './syrup-stirrer.js';

@Module({ providers: [SyrupStirrer] })
export class SyrupModule {}
