/**
 * What work returns to end its attempt in another way than with a result: made by `TaskContext.retryAfter()` and
 * `TaskContext.discard()`. It takes effect by being returned; made and not returned, it does nothing.
 */
export abstract class TaskOutcome {
  /** For the compiler: no object of the user's own looks like one. */
  declare protected readonly isTaskOutcome: true;
}

/** The task puts itself off. */
export class RetryAfter extends TaskOutcome {
  /** @internal Made by `TaskContext.retryAfter()`. */
  constructor(readonly delayMs: number) {
    super();
  }
}

/** The task gives itself up. */
export class Discard extends TaskOutcome {
  /** @internal Made by `TaskContext.discard()`. */
  constructor(readonly reason: unknown) {
    super();
  }
}
