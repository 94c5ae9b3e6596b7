// No server: what keeps the process alive is `--keep-alive`, `--run` (runUntilStopped), or nothing.
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BackgroundModule, BackgroundService, runUntilStopped } from 'nestjs-nightshift';
import { aborted, asked } from './serve.js';

@BackgroundService()
class Watchman implements BackgroundService {
  async execute(stoppingToken: AbortSignal): Promise<void> {
    await aborted(stoppingToken);
    console.log('watch over');
  }
}

@Module({ imports: [BackgroundModule.forRoot({ keepAlive: asked('--keep-alive') })], providers: [Watchman] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule);
console.log('on watch');
setTimeout(() => console.log('still on watch'), 500).unref(); // runs only if something else keeps the process
if (asked('--hooks')) app.enableShutdownHooks();
if (asked('--run')) await runUntilStopped(app);
