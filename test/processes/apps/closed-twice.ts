// close() is called by the application itself: twice, with `--hooks` while a signal arrives, with `--run` while
// runUntilStopped() waits for the end.
import { Injectable, Module, type OnModuleDestroy } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BackgroundModule, HostedService, runUntilStopped, TaskQueue } from 'nestjs-nightshift';
import { asked } from './serve.js';

@HostedService()
class Oven implements HostedService {
  start(): void {}

  async stop(): Promise<void> {
    console.log('oven off');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

@Injectable()
class Printer implements OnModuleDestroy {
  onModuleDestroy(): void {
    console.log('printer off');
  }
}

@Module({ imports: [BackgroundModule.forRoot()], providers: [Oven, Printer] })
class AppModule {}

const app = await NestFactory.create(AppModule);
if (asked('--hooks')) app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
await app.get(TaskQueue).enqueue(() => console.log('task done'));
if (asked('--run')) {
  const run = runUntilStopped(app);
  await app.close();
  await run;
} else {
  const closings = [app.close(), app.close()];
  if (asked('--hooks')) process.kill(process.pid, 'SIGTERM');
  await Promise.all(closings);
}
console.log('closed');
