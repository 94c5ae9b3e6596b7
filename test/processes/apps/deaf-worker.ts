// A worker that hears no signal, and a timer of its that would keep the process alive for ever.
import { Module } from '@nestjs/common';
import { BackgroundModule, BackgroundService } from 'nestjs-nightshift';
import { serve } from './serve.js';

@BackgroundService()
class DeafWorker implements BackgroundService {
  execute(): Promise<void> {
    setInterval(() => {}, 10);
    return new Promise(() => {});
  }
}

@Module({ imports: [BackgroundModule.forRoot({ shutdownTimeout: '200ms' })], providers: [DeafWorker] })
class AppModule {}

await serve(AppModule);
