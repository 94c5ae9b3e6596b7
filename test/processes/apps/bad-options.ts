// Options with two mistakes.
import { Module } from '@nestjs/common';
import { BackgroundModule, type BackgroundModuleOptions } from 'nestjs-nightshift';
import { serve } from './serve.js';

const options = { shutdownTimout: '5s', queue: { capacity: -1 } } as BackgroundModuleOptions;

@Module({ imports: [BackgroundModule.forRoot(options)] })
class AppModule {}

await serve(AppModule);
