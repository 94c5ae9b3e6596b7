import { constants } from 'node:os';
import { Logger, type INestApplicationContext } from '@nestjs/common';
import { combineErrors } from '../errors.js';
import { BackgroundHost } from '../hosting/host.js';
import { ApplicationLifetime } from '../hosting/lifetime.js';
import { ApplicationCloser } from './application-closer.js';
import { takeOverFromNest } from './shutdown-hooks.js';

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;

/**
 * Runs an application until it is asked to stop: by Ctrl+C or another stop signal, by `stopApplication()`, or by the
 * fault of a service. Then closes it. Initialises it first, if that has not been done.
 *
 * Resolves when the application is closed. Rejects, with the exit code set to 1, when the fault of a service stopped it:
 * with what the service threw, or an `AggregateError` when there were several, or when closing failed too. A start that
 * fails rejects with its error, after closing what had been opened. A second signal ends the process at once, with the
 * signal's exit code. Work that was still running at the deadline does not keep the process alive.
 *
 * It takes the place of `app.enableShutdownHooks()`, also when that was called before.
 *
 * @example
 * const app = await NestFactory.create(AppModule);
 * await app.listen(3000);
 * await runUntilStopped(app);
 * @see .NET `HostingAbstractionsHostExtensions.RunAsync`
 */
export async function runUntilStopped(app: INestApplicationContext): Promise<void> {
  const lifetime = app.get(ApplicationLifetime, { strict: false });
  const host = app.get(BackgroundHost, { strict: false });
  const closer = app.get(ApplicationCloser, { strict: false });
  closer.claim();
  const keepAlive = setInterval(() => {}, 2 ** 30);
  const endSignals = handleSignals(lifetime, host);
  const errors: unknown[] = [];
  try {
    await start(app);
    await fired(lifetime.stopping);
    // Someone else may be closing it already; Nest 11 would tear everything down twice.
    if (closer.isClosing) await fired(lifetime.stopped);
    else await app.close();
  } catch (error) {
    errors.push(error);
    // Nest 11 gives up closing when a hook of any module throws: services must have had their turn even so.
    if (lifetime.stopping.aborted) await host.stop().catch(() => {}); // every failure in it is an event
  } finally {
    clearInterval(keepAlive);
    endSignals();
  }
  if (host.faults.length > 0) process.exitCode = 1;
  const isLeftBehind = host.services.some(({ state }) => state === 'abandoned');
  if (isLeftBehind && errors.length === 0) process.exit(); // nothing else would end it
  errors.unshift(...host.faults);
  if (errors.length > 0) throw combineErrors(errors, 'The application ended with several errors.');
}

/** When the start fails, other modules may have opened what nobody else would close. */
async function start(app: INestApplicationContext): Promise<void> {
  try {
    await app.init();
  } catch (error) {
    await app.close().catch(() => {}); // the caller is told why the start failed; Nest logs what goes wrong here
    throw error;
  }
}

/** The first signal asks for the stop, the second ends the process. */
function handleSignals(lifetime: ApplicationLifetime, host: BackgroundHost): () => void {
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals === 1) return lifetime.stopApplication(signal);
    const cutOff = host.unfinished.join(', ') || 'nothing of ours';
    new Logger('Nightshift').error(`${signal} again: ending at once. Cut off: ${cutOff}`);
    process.exit(128 + constants.signals[signal]);
  };
  takeOverFromNest(stopSignals);
  for (const signal of stopSignals) process.on(signal, onSignal);
  return () => {
    for (const signal of stopSignals) process.off(signal, onSignal);
  };
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
