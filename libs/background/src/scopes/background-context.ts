import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { TaskContext, TickContext } from './context.js';

/** Marks the inside of a long-running `execute()`, which has no context object of its own. */
const longRunning = Symbol('long-running service');

const ambient = new AsyncLocalStorage<TickContext | TaskContext | typeof longRunning>();

/** The tick or task that the calling code runs in, however deep, found through `AsyncLocalStorage`. */
// oxlint-disable-next-line typescript/no-extraneous-class -- the name under which `current()` reads as a sentence
export class BackgroundContext {
  /** The context of the tick or task that is running here; `undefined` outside, and in a long-running service. */
  static current(): TickContext | TaskContext | undefined {
    const store = ambient.getStore();
    return store === longRunning ? undefined : store;
  }
}

/** Runs `work` so that it, and all it calls, is inside `context`, or inside a long-running service without one. */
export function runInside<R>(context: TickContext | TaskContext | undefined, work: () => R): R {
  return isolated(() => ambient.run(context ?? longRunning, work));
}

/** As {@link runInside}, for a caller who is isolated already. */
export function runInsideHere<R, C extends TickContext | TaskContext>(
  context: C,
  work: (context: C) => R,
): R {
  return ambient.run(context, work, context);
}

/** Runs `work` in an async resource of its own: what it sets with `enterWith()` does not reach what runs after it. */
export function isolated<R>(work: () => R): R {
  return new AsyncResource('nightshift').runInAsyncScope(work);
}

/** Whether the caller is background work itself, rather than a web request or anything else from outside. */
export function isInsideBackgroundWork(): boolean {
  return ambient.getStore() !== undefined;
}
