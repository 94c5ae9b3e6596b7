// Another module's teardown throws while one task runs and one waits.
import { Injectable, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { BackgroundEvents, BackgroundModule, TaskQueue } from 'nestjs-nightshift';
import { serve } from './serve.js';

@Injectable()
class Orders implements OnApplicationBootstrap {
  constructor(
    private readonly queue: TaskQueue,
    private readonly events: BackgroundEvents,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const draining = new Promise((resolve) => this.events.on('queue.draining', resolve));
    for (const order of ['order 1', 'order 2']) {
      await this.queue.enqueue(async () => {
        await draining;
        console.log(`${order} done`);
      });
    }
  }
}

@Injectable()
class Printer implements OnModuleDestroy {
  onModuleDestroy(): void {
    throw new Error('paper jam');
  }
}

@Module({ imports: [BackgroundModule.forRoot()], providers: [Orders, Printer] })
class AppModule {}

await serve(AppModule);
