/** What the module warns of, by code: something is set up in a way that loses work, or that nobody would expect. */
export const moduleWarnings = {
  HOOK_ORDER:
    'The order of Nest lifecycle hooks could not be set: services start before other modules have bootstrapped, and stop ' +
    'after other modules are torn down. Stop work that needs their resources with `lifetime.stopApplication()` first.',
  /** The names of the queues come before it. */
  QUEUE_NOT_RUN:
    'What is enqueued there waits in memory, is run by nobody, and is given up when the application stops.',
  STOP_HELD_UP:
    'The application is stopping, but requests are still being answered or another module is still being torn down. ' +
    'Services and queues stop after that, and only then does shutdownTimeout begin.',
  SHUTDOWN_HOOKS_OFF:
    'Shutdown hooks are off: on Ctrl+C or SIGTERM the process ends at once, running ticks and tasks are cut off, and tasks ' +
    'that wait in a memory queue are lost. Add `app.enableShutdownHooks()` to main.ts, or `await runUntilStopped(app)`.',
} as const;
