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
  /** Still running when the deadline of the shutdown passed. */
  | 'abandoned';

/** Every legal change of state. */
export const serviceTransitions: Readonly<Record<ServiceState, readonly ServiceState[]>> = {
  idle: ['disabled', 'starting'],
  disabled: ['starting'],
  starting: ['running', 'faulted', 'stopped'],
  running: ['paused', 'restarting', 'stopping', 'completed', 'faulted'],
  paused: ['running', 'stopping', 'completed', 'faulted'],
  restarting: ['running', 'stopping', 'faulted'],
  stopping: ['stopped', 'abandoned', 'faulted'],
  stopped: ['starting'],
  completed: ['starting'],
  faulted: ['starting'],
  abandoned: ['stopped'],
};
