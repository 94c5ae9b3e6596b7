import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamicModule, Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  BackgroundEvents,
  BackgroundModule,
  TaskQueue,
  type BackgroundEvent,
  type BackgroundModuleOptions,
} from 'nestjs-nightshift';
import { onTestFinished } from 'vitest';

/** A file of the test's own, which goes with it. */
export function databaseFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nightshift-engines-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, 'tasks.db');
}

/** An application, started, and closed when the test ends if the test has not done so. */
export async function start(
  options: BackgroundModuleOptions,
  providers: Provider[] = [],
  imports: DynamicModule[] = [],
) {
  const app = await Test.createTestingModule({
    imports: [BackgroundModule.forRoot(options), ...imports],
    providers,
  }).compile();
  app.useLogger(false);
  onTestFinished(() => app.close());
  const seen: BackgroundEvent[] = [];
  const events = app.get(BackgroundEvents);
  events.stream.subscribe((event) => seen.push(event));
  await app.init();
  return { app, events, seen, queue: app.get(TaskQueue) };
}
