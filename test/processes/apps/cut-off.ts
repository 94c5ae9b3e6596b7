// Something of each kind is at work when the process is told to end at once; Clock waits for its next tick.
import { Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { BackgroundModule, BackgroundService, TaskQueue } from 'nestjs-nightshift';
import { serve } from './serve.js';

const endless = new Promise<void>(() => {});

@BackgroundService({ every: '1h' })
class Clock implements BackgroundService {
  execute(): void {}
}

@BackgroundService({ every: '1h', runOnStart: true })
class Inventory implements BackgroundService {
  execute(): Promise<void> {
    return endless;
  }
}

@BackgroundService()
class Oven implements BackgroundService {
  execute(): Promise<void> {
    return endless;
  }
}

@Injectable()
class Orders implements OnApplicationBootstrap {
  constructor(private readonly queue: TaskQueue) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.queue.enqueue(function engrave() {
      return endless;
    });
  }
}

@Module({ imports: [BackgroundModule.forRoot()], providers: [Clock, Inventory, Oven, Orders] })
class AppModule {}

await serve(AppModule);
