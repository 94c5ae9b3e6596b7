// A task that hears no signal, with a timer that would keep the process alive for ever, and one that waits behind it.
import { Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { BackgroundModule, TaskQueue } from 'nestjs-nightshift';
import { serve } from './serve.js';

@Injectable()
class Orders implements OnApplicationBootstrap {
  constructor(private readonly queue: TaskQueue) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.queue.enqueue(function engrave() {
      console.log('engraving');
      setInterval(() => {}, 10);
      return new Promise(() => {});
    });
    await this.queue.enqueue(function wrap() {});
  }
}

@Module({ imports: [BackgroundModule.forRoot({ shutdownTimeout: '200ms' })], providers: [Orders] })
class AppModule {}

await serve(AppModule);
