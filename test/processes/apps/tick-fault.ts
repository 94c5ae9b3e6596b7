// A tick whose failure is to stop the application.
import { Module } from '@nestjs/common';
import { BackgroundModule, BackgroundService } from 'nestjs-nightshift';
import { serve } from './serve.js';

@BackgroundService({ every: '150ms', onError: 'stopHost' })
class Inventory implements BackgroundService {
  execute(): void {
    throw new Error('the shelf is empty');
  }
}

@Module({ imports: [BackgroundModule.forRoot()], providers: [Inventory] })
class AppModule {}

await serve(AppModule);
