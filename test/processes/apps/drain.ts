// One task runs until its queue drains, four wait behind it, and a worker takes its time to clean up.
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { BackgroundEvents, BackgroundModule, BackgroundService, TaskQueue } from 'nestjs-nightshift';
import { aborted, serve } from './serve.js';

@BackgroundService()
class Dishwasher implements BackgroundService {
  async execute(stoppingToken: AbortSignal): Promise<void> {
    await aborted(stoppingToken);
    await sleep(150);
    console.log('dishes done');
  }
}

@Injectable()
class Orders implements OnApplicationBootstrap {
  constructor(
    private readonly queue: TaskQueue,
    private readonly events: BackgroundEvents,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const draining = new Promise((resolve) => this.events.on('queue.draining', resolve));
    for (let order = 1; order <= 5; order += 1) {
      await this.queue.enqueue(async () => {
        console.log(`order ${order} begins`);
        await draining;
        console.log(`order ${order} done`);
      });
    }
  }
}

@Module({ imports: [BackgroundModule.forRoot()], providers: [Dishwasher, Orders] })
class AppModule {}

await serve(AppModule);
