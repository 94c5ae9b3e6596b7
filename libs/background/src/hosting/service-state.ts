/** What a service is doing. See {@link serviceTransitions} for which state can follow which. */
export type ServiceState =
  /** Not started yet. */
  | 'idle'
  /** Kept from starting by `enabled`. */
  | 'disabled'
  | 'starting'
  /** Long-running: inside `execute()`. Ticking: its schedule is armed. Hosted: started. */
  | 'running'
  /** Ticking, but passing over due ticks until resumed. */
  | 'paused'
  /** Faulted, and waiting for the restart. */
  | 'restarting'
  /** Told to stop, finishing what it holds. */
  | 'stopping'
  | 'stopped'
  /** `execute()` returned by itself, or a schedule has no further tick. */
  | 'completed'
  /** Failed to start, or failed and was not restarted. */
  | 'faulted'
  /** Something of it, a hook or work, was still running when the deadline passed. */
  | 'abandoned';

/** Every legal change of state. */
export const serviceTransitions: Readonly<Record<ServiceState, readonly ServiceState[]>> = {
  idle: ['disabled', 'starting'],
  disabled: ['starting'],
  starting: ['running', 'faulted', 'stopped', 'abandoned'],
  running: ['paused', 'restarting', 'stopping', 'completed', 'faulted'],
  paused: ['running', 'stopping', 'completed', 'faulted'],
  restarting: ['running', 'stopping', 'faulted'],
  stopping: ['stopped', 'abandoned', 'faulted'],
  stopped: ['starting', 'abandoned'],
  completed: ['starting', 'abandoned'],
  faulted: ['starting', 'abandoned'],
  abandoned: ['stopped'],
};
