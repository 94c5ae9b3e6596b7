// A worker that fails as soon as it runs: before anyone had the time to call `runUntilStopped()`.
import { Module } from '@nestjs/common';
import { BackgroundModule, BackgroundService } from 'nestjs-nightshift';
import { serve } from './serve.js';

@BackgroundService()
class Oven implements BackgroundService {
  async execute(): Promise<void> {
    throw new Error('the oven is cold');
  }
}

@Module({ imports: [BackgroundModule.forRoot()], providers: [Oven] })
class AppModule {}

await serve(AppModule);
