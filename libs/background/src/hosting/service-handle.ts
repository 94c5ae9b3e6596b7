import type { ServiceKind } from '../events/events.js';
import type { ScheduleChange, TickRecord } from './service-runner.js';
import type { ServiceState } from './service-state.js';

/**
 * One service, to look at and to steer. `trigger`, `pause`, `resume` and `reschedule` are for services that tick; on
 * others they throw `NotTickedError`.
 */
export interface ServiceHandle {
  readonly name: string;
  readonly kind: ServiceKind;
  readonly state: ServiceState;
  /** What the last fault or failed tick threw. */
  readonly lastError: unknown;
  /** How often the service was restarted after a fault since it was last started. */
  readonly restarts: number;
  /** When the service was last started. */
  readonly startedAt: Date | undefined;
  /** The schedule in words: `'every 30m'`, `'cron 0 3 * * * (Europe/Berlin)'`; `undefined` when it does not tick. */
  readonly schedule: string | undefined;
  /** Whether each of its occurrences runs in one process only, of all that share a durable engine. */
  readonly exclusive: boolean;
  /** The last tick that ended. */
  readonly lastTick: TickRecord | undefined;
  /** When the next tick is due; `undefined` while nothing is. */
  readonly nextTickAt: Date | undefined;
  /**
   * Runs a tick now, apart from the schedule, also while paused. Under `overlap: 'skip'` it is skipped when one is
   * running, under `'queue'` it waits for its turn. It is nobody's occurrence: of an exclusive service too it runs here,
   * and takes no due tick's place.
   *
   * @returns what became of the tick, once it has ended or, at the deadline of a stop, is left behind as cancelled; a
   * failed tick does not reject
   */
  trigger(): Promise<TickRecord>;
  /** Lets due ticks pass until {@link resume}. A tick that is running goes on. */
  pause(): void;
  resume(): void;
  /** Gives the service another schedule, in force until the process ends. */
  reschedule(schedule: ScheduleChange): void;
  /**
   * Stops this service alone, within the host's `shutdownTimeout`. Does nothing when it is not running. A hook of its
   * start that is under way ends first, so such a hook must not wait for this.
   */
  stop(): Promise<void>;
  /** Starts this service again after {@link stop}, its completion or a fault. Does nothing when it is running. */
  start(): Promise<void>;
}
