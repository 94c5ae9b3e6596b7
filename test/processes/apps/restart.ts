// A worker that fails each time it is started again, until its restarts are used up.
import { Module } from '@nestjs/common';
import { BackgroundModule, BackgroundService, constant } from 'nestjs-nightshift';
import { serve } from './serve.js';

@BackgroundService({ restart: { maxRestarts: 2, backoff: constant('30ms') } })
class Oven implements BackgroundService {
  private tries = 0;

  async execute(): Promise<void> {
    this.tries += 1;
    console.log(`try ${this.tries}`);
    throw new Error(`cold at try ${this.tries}`);
  }
}

@Module({ imports: [BackgroundModule.forRoot()], providers: [Oven] })
class AppModule {}

await serve(AppModule);
