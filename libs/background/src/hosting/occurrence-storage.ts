/** One time at which a service is due, in the hands of the process that is to run it. */
export interface OccurrenceClaim {
  /** The name of the service. */
  readonly service: string;
  /** Milliseconds since the Unix epoch. */
  readonly dueAtMs: number;
}

/**
 * Remembers which occurrences of a service have been run, over restarts and for all processes that share the storage. It is
 * the driver's part of `exclusive` services, and of catching up on what was missed while nothing ran.
 *
 * For each service it keeps the latest occurrence that was claimed, and whether that has ended. Occurrences only go forward:
 * one at or before the latest is never claimed again, but for one that was given back: because its process has died in the
 * middle, or by {@link release}.
 *
 * Several calls may be under way at once, also for one service: the next occurrence is claimed while the one before still
 * runs or is being completed. Every call settles, for a stop waits for it. One that rejects is an event and no more: it is
 * made again a moment later, so a call that has taken effect without its caller hearing of it must bear being repeated.
 */
export interface OccurrenceStorage {
  /**
   * The latest occurrence of a service that was claimed, in milliseconds since the Unix epoch; `undefined` when there is
   * none. One that was given back counts as not claimed, and then the one before it is the latest.
   */
  latest(service: string): Promise<number | undefined>;
  /**
   * Takes an occurrence: `true` for exactly one of all the processes that ask for it, and `false` for every other, for ever,
   * unless it is given back before {@link complete}; then it can be taken once more. The process that holds it gets `true`
   * again when it asks again.
   */
  claim(occurrence: OccurrenceClaim): Promise<boolean>;
  /**
   * The occurrence has been run, whatever came of it. Called by the process that claimed it; if it was given back meanwhile,
   * because the process was taken for dead, nothing happens. The same goes for {@link release}.
   */
  complete(occurrence: OccurrenceClaim): Promise<void>;
  /**
   * Gives back an occurrence that this process has claimed and not begun to run, as if the process had died. Called when
   * the service is stopped or paused while {@link claim} is under way, so often when the process is about to end.
   */
  release(occurrence: OccurrenceClaim): Promise<void>;
  /**
   * Calls `listener` whenever occurrences were given back by another process, or of one that has died; it may also be called
   * for what this process gives back. Does not throw.
   *
   * @returns ends the listening
   */
  onReleased(listener: () => void): () => void;
}
