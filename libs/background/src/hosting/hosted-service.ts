/**
 * Something that the host starts with the application and stops with it.
 *
 * What the host promises: hooks are called in registration order at start and in reverse at stop; a phase begins only
 * when every service has finished the one before (`starting`, `start`, `started`; then `stopping`, `stop`, `stopped`);
 * each hook is called at most once for each start and stop, and `stop` only after `start` has succeeded. So what
 * `starting` takes is not given back by `stop` when the start of the application fails in between.
 *
 * What a hook's end means:
 * - returning (or a promise that resolves): the hook is done;
 * - throwing at start: the application does not start; what had started is stopped again, in reverse;
 * - throwing at stop: reported, and everything else is still stopped;
 * - never settling at start: the application waits, until `startupTimeout` aborts `signal`, if one is set;
 * - never settling at stop: at the deadline `signal` is aborted, and soon after the host goes on without it and says so.
 *
 * @see .NET `IHostedService` and `IHostedLifecycleService`
 */
export interface HostedService {
  /** Called before any service's `start`. */
  starting?(signal: AbortSignal): Promise<void> | void;
  /**
   * Gets going. It should return soon: the application does not listen until every service has started.
   *
   * @param signal aborted when the start should be given up
   */
  start(signal: AbortSignal): Promise<void> | void;
  /** Called when every service has started. */
  started?(signal: AbortSignal): Promise<void> | void;
  /** Called when stopping begins, before any service's `stop`: HTTP requests are still being answered. */
  stopping?(signal: AbortSignal): Promise<void> | void;
  /**
   * Finishes what is in hand and releases it.
   *
   * @param signal aborted at the deadline of the shutdown: whatever is not finished by then should be given up
   */
  stop(signal: AbortSignal): Promise<void> | void;
  /** Called when every service has stopped. */
  stopped?(signal: AbortSignal): Promise<void> | void;
}

/** The hooks in the order in which they are called. */
export type LifecycleHook = keyof HostedService;
