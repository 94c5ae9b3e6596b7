// Nothing to do. Says so some time after the library has looked whether anything handles stop signals.
import { Module } from '@nestjs/common';
import { BackgroundModule, HostedService } from 'nestjs-nightshift';
import { serve } from './serve.js';

@HostedService()
class Loafer implements HostedService {
  start(): void {
    setTimeout(() => console.log('a while later'), 300).unref();
  }

  stop(): void {}
}

@Module({ imports: [BackgroundModule.forRoot()], providers: [Loafer] })
class AppModule {}

await serve(AppModule);
