import { StoppingError } from '../errors.js';

/**
 * The life of the host as three signals, and the way to ask for its end. Each signal is aborted once, when that point is
 * reached: `signal.aborted` tells whether it has been, `addEventListener('abort', ...)` tells when.
 *
 * @see .NET `IHostApplicationLifetime`
 */
export class ApplicationLifetime {
  private readonly startedController = new AbortController();
  private readonly stoppingController = new AbortController();
  private readonly stoppedController = new AbortController();
  private reason: unknown;

  /** Every service has started. */
  readonly started: AbortSignal = this.startedController.signal;
  /** Stopping has been asked for, by {@link stopApplication}, a signal, `app.close()` or a fault. No new tick starts. */
  readonly stopping: AbortSignal = this.stoppingController.signal;
  /** Every service has stopped, or was given up at the deadline. */
  readonly stopped: AbortSignal = this.stoppedController.signal;

  /** What {@link stopApplication} was first called with. */
  get stopReason(): unknown {
    return this.reason;
  }

  /**
   * Asks the application to stop, gracefully, and returns at once. Only the first call counts.
   *
   * The application closes when it is run by `runUntilStopped(app)` or has `app.enableShutdownHooks()`; without either,
   * services and queues are stopped and a log line says that nothing could close the rest.
   *
   * @param reason for the log: text, or the error that made it necessary
   * @see .NET `IHostApplicationLifetime.StopApplication`
   */
  stopApplication(reason?: unknown): void {
    if (this.stopping.aborted) return;
    this.reason = reason;
    this.stoppingController.abort(new StoppingError('The application'));
  }

  /** @internal */
  notifyStarted(): void {
    this.startedController.abort();
  }

  /** @internal */
  notifyStopped(): void {
    this.stoppedController.abort();
  }
}
