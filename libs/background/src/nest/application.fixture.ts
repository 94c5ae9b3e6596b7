import type { DynamicModule, Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ManualClock } from 'nestjs-nightshift/testing';
import { onTestFinished } from 'vitest';
import { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundEvent } from '../events/events.js';
import { BackgroundModule } from './background.module.js';

/** An application on a manual clock, closed when the test ends, and every event it gives. */
export async function setup(providers: Provider[], imports: DynamicModule[] = []) {
  const clock = new ManualClock();
  const app = await Test.createTestingModule({
    imports: [...imports, BackgroundModule.forRoot({ clock })],
    providers,
  }).compile();
  app.useLogger(false);
  onTestFinished(() => app.close());
  const seen: BackgroundEvent[] = [];
  app.get(BackgroundEvents).stream.subscribe((event) => seen.push(event));
  await app.init();
  return { app, clock, seen };
}
