import type { LoggerService, ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { BackgroundEvents, BackgroundModule, type BackgroundModuleOptions } from 'nestjs-nightshift';
import { ManualClock } from 'nestjs-nightshift/testing';

/** An application that has started, on a clock that stands still. */
export interface Application extends AsyncDisposable {
  readonly app: TestingModule;
  readonly clock: ManualClock;
  readonly events: BackgroundEvents;
  /** Every line that was logged. */
  readonly logged: readonly string[];
}

export async function startApplication(
  metadata: ModuleMetadata,
  options: BackgroundModuleOptions = {},
): Promise<Application> {
  const clock = new ManualClock();
  const logged: string[] = [];
  const app = await Test.createTestingModule({
    ...metadata,
    imports: [BackgroundModule.forRoot({ clock, ...options }), ...(metadata.imports ?? [])],
  })
    .setLogger(loggerInto(logged))
    .compile();
  await app.init();
  return {
    app,
    clock,
    events: app.get(BackgroundEvents),
    logged,
    [Symbol.asyncDispose]: () => app.close(),
  };
}

function loggerInto(lines: string[]): LoggerService {
  const note = (message: unknown): void => void lines.push(String(message));
  return { log: note, warn: note, error: note, debug: note, verbose: note, fatal: note };
}
