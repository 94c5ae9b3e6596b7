import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BackgroundModule, TaskQueue } from 'nestjs-nightshift';

@Module({})
class EmptyModule {}

/** The default queue of an application that has nothing else. */
export async function openQueue(capacity: number): Promise<{ queue: TaskQueue; close: () => Promise<void> }> {
  const imports = [BackgroundModule.forRoot({ queue: { capacity } })];
  const app = await NestFactory.createApplicationContext({ module: EmptyModule, imports }, { logger: false });
  return { queue: app.get(TaskQueue), close: () => app.close() };
}
