import { Module } from '@nestjs/common';
import { ConnectionPool } from './connection-pool.js';

@Module({ providers: [ConnectionPool], exports: [ConnectionPool] })
export class DatabaseModule {}
