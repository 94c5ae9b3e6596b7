import { Controller, HttpCode, Injectable, Module, Post, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundModule,
  BackgroundService,
  PeriodicTimer,
  runUntilStopped,
  TaskQueue,
} from 'nestjs-nightshift';

@Injectable({ scope: Scope.REQUEST })
class OrderRepository implements Disposable {
  removeExpired() {
    console.log('expired orders removed');
  }
  [Symbol.dispose]() {
    console.log('connection back in the pool');
  }
}

@BackgroundService() // long-running: one execute(), from start to stop
class SyrupStirrer implements BackgroundService {
  async execute(stoppingToken: AbortSignal) {
    using timer = new PeriodicTimer('10s');
    while (await timer.waitForNextTick({ signal: stoppingToken })) console.log('stirred');
  }
}

@BackgroundService({ every: '30m', runOnStart: true }) // ticks: execute() once a tick, in a fresh DI scope
class OrderCleanup implements BackgroundService {
  constructor(private readonly orders: OrderRepository) {} // a new one each tick, disposed after it
  async execute() {
    this.orders.removeExpired();
  }
}

@Controller()
class Photos {
  constructor(private readonly queue: TaskQueue) {}

  @Post('photos')
  @HttpCode(202)
  async resize() {
    const task = await this.queue.enqueue(async ({ signal }) => {
      console.log('resizing, after the reply', signal.aborted);
    });
    return { id: task.id };
  }
}

@Module({
  imports: [BackgroundModule.forRoot()],
  controllers: [Photos],
  providers: [OrderRepository, SyrupStirrer, OrderCleanup],
})
export class AppModule {}

export async function main(port = 3000) {
  const app = await NestFactory.create(AppModule);
  await app.listen(port);
  await runUntilStopped(app); // Ctrl+C stops the shift, drains the queue, then closes the app
}
