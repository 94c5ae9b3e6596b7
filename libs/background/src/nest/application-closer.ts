import type { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundHost } from '../hosting/host.js';
import type { ApplicationLifetime } from '../hosting/lifetime.js';
import { handlersMayComeWithinMs, signalThatNestHandles } from './shutdown-hooks.js';

/**
 * Closes the application when something inside asks for it, with `stopApplication()` or by a fault. Nest gives no
 * provider the application object, so this takes whichever way there is.
 */
export class ApplicationCloser {
  private closingAlready = false;
  private claimed = false;
  private lastAttempt: NodeJS.Timeout | undefined;

  constructor(
    private readonly host: BackgroundHost,
    lifetime: ApplicationLifetime,
    private readonly events: BackgroundEvents,
  ) {
    lifetime.stopping.addEventListener('abort', () => this.onStopping(), { once: true });
  }

  /** Whether Nest is closing the application, whoever asked for it. */
  get isClosing(): boolean {
    return this.closingAlready;
  }

  /** The caller has the application object, and closes it itself when `lifetime.stopping` fires. */
  claim(): void {
    this.claimed = true;
    clearTimeout(this.lastAttempt);
  }

  /** Nest has begun to close the application. */
  noteClosing(): void {
    this.closingAlready = true;
    clearTimeout(this.lastAttempt);
  }

  private onStopping(): void {
    if (this.closingAlready || this.claimed) return;
    // Not within the call that asked for it: it may be in the middle of the start.
    setImmediate(() => {
      if (!this.close()) this.lastAttempt = setTimeout(() => this.closeOrWarn(), handlersMayComeWithinMs);
    });
  }

  /** Whether the application is being closed now, by this or by someone else. */
  private close(): boolean {
    if (this.closingAlready || this.claimed) return true;
    const signal = signalThatNestHandles();
    if (signal !== undefined) {
      // With `useProcessExit` Nest exits with 0, which would make a fault look like a clean stop.
      if (this.host.faults.length > 0) process.once('exit', () => void (process.exitCode ||= 1));
      process.kill(process.pid, signal);
    }
    return signal !== undefined;
  }

  private closeOrWarn(): void {
    if (this.close()) return;
    this.events.emit('host.warning', {
      code: 'CANNOT_CLOSE',
      message:
        'Services and queues are being stopped, but nothing here can close the application itself, so its server goes on. ' +
        'Run it with `await runUntilStopped(app)`, or call `app.enableShutdownHooks()` in main.ts.',
    });
    this.host.stop().catch(() => {}); // every failure in it is an event
  }
}
