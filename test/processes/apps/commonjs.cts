// An application that is compiled to CommonJS, as most are on Nest 11: it requires the library, which is an ES module.
import { Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BackgroundModule, BackgroundService, runUntilStopped, TaskQueue } from 'nestjs-nightshift';

@BackgroundService({ every: '1h', runOnStart: true })
class Inventory implements BackgroundService {
  execute(): void {
    console.log('counted');
  }
}

@Injectable()
class Orders implements OnApplicationBootstrap {
  constructor(private readonly queue: TaskQueue) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.queue.enqueue(() => console.log('order done'));
  }
}

@Module({ imports: [BackgroundModule.forRoot()], providers: [Inventory, Orders] })
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const run = runUntilStopped(app);
  console.log(`listening on ${url} as ${typeof require === 'function' ? 'CommonJS' : 'an ES module'}`);
  await run;
}

void main();
