import type { ChannelCore } from './channel-core.js';
import { ChannelClosedError } from './errors.js';
import { QueuedWaiter } from './waiters.js';

const end: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** A step that waits for its item, in line with everybody who waits in `read()`. */
class StepWaiter<T> extends QueuedWaiter<T, undefined, IteratorResult<T, undefined>> {
  constructor(
    private readonly iterator: ChannelIterator<T>,
    signal: AbortSignal | undefined,
  ) {
    super(undefined, signal);
  }

  override serve(item: T): void {
    this.iterator.leave(this);
    this.resolve({ done: false, value: item });
  }

  override refuse(error: unknown): void {
    this.iterator.finish(this);
    if (!(error instanceof ChannelClosedError)) this.reject(error);
    else if (error.cause === undefined) this.resolve(end);
    else this.reject(error.cause);
  }

  protected override abandon(): void {
    super.abandon();
    this.iterator.finish(this);
  }
}

/**
 * One pass over a channel. By hand and not as an async generator: a step costs one promise, an item that is a promise
 * is handed over as it is, and `return()` ends a step that still waits instead of queueing behind it and swallowing
 * an item.
 */
export class ChannelIterator<T> implements AsyncIterableIterator<T, undefined> {
  private phase: 'new' | 'running' | 'ended' = 'new';
  private readonly steps = new Set<StepWaiter<T>>();

  constructor(
    private readonly core: ChannelCore<T>,
    private readonly signal: AbortSignal | undefined,
  ) {}

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.phase === 'ended') return Promise.resolve(end);
    // What is buffered is delivered whatever the signal says, except when it had aborted before the first step.
    const item = this.phase === 'new' && this.isAborted ? undefined : this.core.take();
    this.phase = 'running';
    return item === undefined ? this.wait() : Promise.resolve({ done: false, value: item });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.phase = 'ended';
    for (const step of this.steps) {
      this.core.blockedReaders.remove(step);
      step.resolve(end);
    }
    this.steps.clear();
    return Promise.resolve(end);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  leave(step: StepWaiter<T>): void {
    this.steps.delete(step);
  }

  finish(step: StepWaiter<T>): void {
    this.steps.delete(step);
    this.phase = 'ended';
  }

  private get isAborted(): boolean {
    return this.signal !== undefined && this.signal.aborted;
  }

  private wait(): Promise<IteratorResult<T, undefined>> {
    if (this.isAborted || this.core.isDrained) {
      this.phase = 'ended';
      return this.isAborted ? Promise.reject(this.signal!.reason) : this.core.lastAnswer.then(() => end);
    }
    const step = new StepWaiter(this, this.signal);
    this.steps.add(step);
    this.core.addReader(step);
    return step.promise;
  }
}
