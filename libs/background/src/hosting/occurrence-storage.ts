/** One time at which a service is due, in the hands of the process that is to run it. */
export interface OccurrenceClaim {
  readonly service: string;
  /** Milliseconds since the Unix epoch. */
  readonly dueAtMs: number;
}

/**
 * Remembers which occurrences of a service have been run, over restarts and for all processes that share the storage. It is
 * the driver's part of `exclusive` services, and of catching up on what was missed while nothing ran.
 *
 * For each service it keeps the latest occurrence that was claimed, and whether that has ended. Occurrences only go forward:
 * one at or before the latest is never claimed again, but for one whose process has died in the middle (see {@link claim}).
 */
export interface OccurrenceStorage {
  /**
   * The latest occurrence of a service that was claimed, in milliseconds since the Unix epoch; `undefined` when there is
   * none. One that a dead process has left unfinished counts as not claimed, and then the one before it is the latest.
   */
  latest(service: string): Promise<number | undefined>;
  /**
   * Takes an occurrence: `true` for exactly one of all the processes that ask for it, and `false` for every other, for ever,
   * unless the one that took it dies before {@link complete}; then it can be taken once more.
   */
  claim(occurrence: OccurrenceClaim): Promise<boolean>;
  /** The occurrence has been run, whatever came of it. */
  complete(occurrence: OccurrenceClaim): Promise<void>;
  /** It was taken and will not be run here: it can be taken again, by anybody. */
  release(occurrence: OccurrenceClaim): Promise<void>;
  /** Calls `listener` whenever the occurrences of a dead process were given back. @returns ends the listening */
  onReleased(listener: () => void): () => void;
}
