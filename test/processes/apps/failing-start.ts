// Three services, of which the last does not start.
import { Module } from '@nestjs/common';
import { BackgroundModule, HostedService } from 'nestjs-nightshift';
import { serve } from './serve.js';

abstract class Machine implements HostedService {
  start(): void {
    console.log(`${this.constructor.name} started`);
  }

  stop(): void {
    console.log(`${this.constructor.name} stopped`);
  }
}

@HostedService()
class Mixer extends Machine {}

@HostedService()
class Oven extends Machine {}

@HostedService()
class Fryer extends Machine {
  override start(): void {
    throw new Error('no oil');
  }
}

@Module({ imports: [BackgroundModule.forRoot()], providers: [Mixer, Oven, Fryer] })
class AppModule {}

await serve(AppModule);
