import type { HttpAdapterHost } from '@nestjs/core';

const stopSignals = ['SIGTERM', 'SIGINT'] as const;

/** How long after the start whatever handles stop signals may be set up: some do it after `listen()`. */
export const handlersMayComeWithinMs = 100;

/** The name of the listener that `app.enableShutdownHooks()` adds, in Nest 11 and 12. */
const nestListenerName = 'cleanup';

/** A signal on which Nest would close the application, if `app.enableShutdownHooks()` was called for one. */
export function signalThatNestHandles(): NodeJS.Signals | undefined {
  return stopSignals.find((signal) =>
    process.listeners(signal).some(({ name }) => name === nestListenerName),
  );
}

/** Makes Nest's hooks do nothing: after closing they end the process by the signal, whatever it still has to say. */
export function takeOverFromNest(signals: readonly NodeJS.Signals[]): void {
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (listener.name === nestListenerName) process.off(signal, listener);
    }
  }
}

/** Whether the process would end on a stop signal without anybody having a say. */
export function nobodyHandlesSignals(): boolean {
  return stopSignals.every((signal) => process.listenerCount(signal) === 0);
}

/** Whether this is an application that is only tried out, as a test does: it has a server that does not listen. */
export function isNotListening(adapterHost: HttpAdapterHost | undefined): boolean {
  const server = adapterHost?.httpAdapter?.getHttpServer() as { listening?: boolean } | undefined;
  return server !== undefined && server.listening !== true;
}
