import { AbortWatch } from './abort-watch.js';

/**
 * Somebody who waits: a promise, how to settle it, and the signal that may end it first. Whoever settles a waiter has
 * taken it out of where it waited; being aborted, it takes itself out with `abandon`. However it ends, nothing of it
 * stays with the signal.
 */
export abstract class Waiter<Result> {
  readonly promise: Promise<Result>;
  private fulfil!: (result: Result) => void;
  private fail!: (error: unknown) => void;
  private readonly watch: AbortWatch | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.promise = new Promise((fulfil, fail) => {
      this.fulfil = fulfil;
      this.fail = fail;
    });
    this.watch = signal === undefined ? undefined : AbortWatch.over(signal);
    if (this.watch !== undefined) this.watch.add(this);
  }

  resolve(result: Result): void {
    if (this.watch !== undefined) this.watch.delete(this);
    this.fulfil(result);
  }

  reject(error: unknown): void {
    if (this.watch !== undefined) this.watch.delete(this);
    this.fail(error);
  }

  abort(reason: unknown): void {
    this.abandon();
    this.fail(reason);
  }

  protected abstract abandon(): void;
}

/**
 * A waiter that stands in line, with the item it has brought if it is a writer. `Given` is what it is served with,
 * `Result` what its promise makes of that.
 */
export abstract class QueuedWaiter<Given, Item, Result> extends Waiter<Result> {
  /** Where it stands in line; `undefined` before and after. */
  queue: WaiterQueue<Given, Item> | undefined = undefined;
  ahead: InLine<Given, Item> | undefined = undefined;
  behind: InLine<Given, Item> | undefined = undefined;

  constructor(
    readonly item: Item,
    signal: AbortSignal | undefined,
  ) {
    super(signal);
  }

  /** Its turn has come. */
  abstract serve(given: Given): void;
  /** Its turn will never come. */
  abstract refuse(error: unknown): void;

  protected override abandon(): void {
    this.queue!.remove(this);
  }
}

/** A waiter as its queue sees it, whatever its promise is of. */
export type InLine<Given, Item> = Pick<
  QueuedWaiter<Given, Item, unknown>,
  'queue' | 'ahead' | 'behind' | 'item' | 'serve' | 'refuse'
>;

class PlainWaiter<Given, Item> extends QueuedWaiter<Given, Item, Given> {
  override serve(given: Given): void {
    this.resolve(given);
  }

  override refuse(error: unknown): void {
    this.reject(error);
  }
}

/**
 * Waiters in the order in which they came. A linked list, because one whose signal aborts leaves from anywhere in
 * the line, and that must not cost more when thousands wait.
 */
export class WaiterQueue<Given, Item = undefined> {
  private first: InLine<Given, Item> | undefined = undefined;
  private last: InLine<Given, Item> | undefined = undefined;

  get isEmpty(): boolean {
    return this.first === undefined;
  }

  /** The item of whoever is next, left where it is. */
  get firstItem(): Item | undefined {
    return this.first?.item;
  }

  /** A promise of one's turn. */
  wait(item: Item, signal: AbortSignal | undefined): Promise<Given> {
    const waiter = new PlainWaiter<Given, Item>(item, signal);
    this.add(waiter);
    return waiter.promise;
  }

  add(waiter: InLine<Given, Item>): void {
    waiter.queue = this;
    waiter.ahead = this.last;
    if (this.last === undefined) this.first = waiter;
    else this.last.behind = waiter;
    this.last = waiter;
  }

  takeFirst(): InLine<Given, Item> | undefined {
    const { first } = this;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes a waiter that stands in this line out of it. */
  remove(waiter: InLine<Given, Item>): void {
    const { ahead, behind } = waiter;
    if (ahead === undefined) this.first = behind;
    else ahead.behind = behind;
    if (behind === undefined) this.last = ahead;
    else behind.ahead = ahead;
    // A settled waiter that somebody still holds must not keep its old neighbours from being collected.
    waiter.queue = undefined;
    waiter.ahead = undefined;
    waiter.behind = undefined;
  }

  serveAll(given: Given): void {
    while (this.first !== undefined) this.takeFirst()!.serve(given);
  }

  refuseAll(error: unknown): void {
    while (this.first !== undefined) this.takeFirst()!.refuse(error);
  }
}
