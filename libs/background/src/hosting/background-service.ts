import type { TickContext } from '../scopes/context.js';

/**
 * Work that runs beside the web requests: one long-running `execute()`, or one `execute()` for each tick when the class
 * is decorated with `every` or `cron`.
 *
 * **Long-running.** `execute` is called once, after every service has started, and is never awaited by the start of the
 * application.
 * - Returning: the work is complete. The application goes on; nothing is restarted.
 * - Throwing: a fault. The service is restarted if it has a `restart` policy, otherwise `exceptionBehavior` decides:
 *   `'stopHost'` stops the application, `'ignore'` leaves the service faulted and everything else running.
 * - Being aborted: when `stoppingToken` fires, finish what is in hand and return. Rejecting with the token's reason, or
 *   with any `AbortError`, is as good. Any other error while stopping is a fault.
 * - Hanging: the shutdown waits for it until the deadline, then goes on without it and says so.
 *
 * **Ticking.** `execute` is called once for each tick with a `tick` of its own, on an instance whose scoped dependencies
 * are new for that tick. The same rules hold, but a failed tick by default leaves the schedule running (`onError`).
 *
 * A class may also have the hooks `starting`, `started`, `stopping` and `stopped` of a {@link HostedService}.
 *
 * @see .NET `BackgroundService.ExecuteAsync`
 */
export interface BackgroundService {
  /**
   * @param stoppingToken aborted when the service is told to stop; for a tick also when its `timeout` has elapsed
   * @param tick which tick this is; only for services that tick
   */
  execute(stoppingToken: AbortSignal, tick?: TickContext): Promise<void> | void;
}
