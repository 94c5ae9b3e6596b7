import type { ServiceKind, TickOutcome } from '../events/events.js';
import type { HostedService } from './hosted-service.js';

/**
 * What the supervisor drives. Everything that the host runs comes down to this: it is a hosted service, plus what a
 * supervisor needs to know of work that goes on by itself between `start` and `stop`.
 */
export interface ServiceRunner extends HostedService {
  readonly kind: ServiceKind;
  /** Hands over the one to report to. Called once, before `start`. */
  attach?(monitor: ServiceMonitor): void;
  /** The whole host has started: begin to work. Must not throw, and must not run user code before it returns. */
  begin?(): void;
  /**
   * Stopping was asked for, of the whole host or of this service alone: start nothing new. Called at once, long before
   * `stop` has its turn; perhaps twice.
   */
  quiesce?(of: 'host' | 'service'): void;
  /** What still runs, by name. Read after `stop` has ended or been given up on, and when work reports its end. */
  inFlight?(): readonly string[];
  /** Present on services that tick. */
  readonly ticks?: TickControl;
}

/** How a runner reports what became of the work that it began. */
export interface ServiceMonitor {
  /** The work came to its end. */
  completed(): void;
  /** The work failed for good. `consequence` overrides the service's `exceptionBehavior`. */
  faulted(error: unknown, consequence?: 'stopHost' | 'ignore'): void;
  /** The work failed and will be begun again after `delayMs`. */
  restarting(error: unknown, delayMs: number): void;
  /** The work was begun again. */
  restarted(): void;
}

/** When a service ticks. Exactly one of `every` and `cron`. */
export interface ScheduleChange {
  every?: number | string | undefined;
  cron?: string | undefined;
  timeZone?: string | undefined;
}

/** What became of one tick. */
export interface TickRecord {
  readonly id: string;
  readonly scheduledAt: Date;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly outcome: TickOutcome;
  /** Why, when the outcome is `'failed'` or `'timedOut'`. */
  readonly error?: unknown;
}

/** Steers a schedule at run time. */
export interface TickControl {
  /** The last tick that ended. */
  readonly lastTick: TickRecord | undefined;
  /** What the last failed tick threw. */
  readonly lastError: unknown;
  /** The schedule in words: `'every 30m'`, `'cron 0 3 * * * (Europe/Berlin)'`. */
  readonly schedule: string;
  /** Whether each occurrence runs in one process only. */
  readonly exclusive: boolean;
  /** When the next tick is due; `undefined` while nothing is. */
  readonly nextTickAt: Date | undefined;
  readonly running: number;
  trigger(): Promise<TickRecord>;
  pause(): void;
  resume(): void;
  reschedule(schedule: ScheduleChange): void;
}
