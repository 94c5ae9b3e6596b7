import { endedBy } from './deadline.js';
import type { HostedService } from './hosted-service.js';
import { SharedRun } from './shared-run.js';

/** The hooks of the stop, in the order in which they are called. */
export const stopHooks = ['stopping', 'stop', 'stopped'] as const;
export type StopHook = (typeof stopHooks)[number];

/**
 * After the deadline a hook has this many turns of the event loop. Runners give their own work one turn before they
 * return, and a queue another before it, to abort its tasks.
 */
export const lastTurns = 3;

/** Hears what becomes of the hooks. */
export interface StopObserver {
  begun(hook: StopHook): void;
  /** The hook has returned, thrown, or been given up on. */
  ended(hook: StopHook): void;
  /** A hook has thrown, perhaps after it was given up on. */
  failed(error: unknown): void;
  /** A hook that had been given up on has ended after all. */
  endedLate(): void;
}

/**
 * The stop that one start of a service calls for. Several may ask for it, the host and a user of the handle: each hook
 * is called once, all who ask wait for that one call, and none beyond the earliest of their deadlines.
 */
export class StopSequence {
  private readonly runs: Readonly<Record<StopHook, SharedRun<void>>> = {
    stopping: new SharedRun(),
    stop: new SharedRun(),
    stopped: new SharedRun(),
  };
  private readonly givenUp = new Set<StopHook>();
  private readonly controller = new AbortController();
  private over = false;

  constructor(
    private readonly hooks: Partial<Pick<HostedService, StopHook>>,
    private readonly observer: StopObserver,
  ) {}

  get hasBegun(): boolean {
    return stopHooks.some((hook) => this.runs[hook].current !== undefined);
  }

  /** Whether every hook has had its turn. */
  get isOver(): boolean {
    return this.over;
  }

  /** The hooks that were given up on and have not ended. */
  get hanging(): readonly string[] {
    return [...this.givenUp].map((hook) => `${hook}()`);
  }

  /** Rejects with what the hook throws; not for those who ask when it is done. */
  async run(hook: StopHook, signal: AbortSignal): Promise<void> {
    const hurry = (): void => this.controller.abort(signal.reason);
    if (signal.aborted) hurry();
    else signal.addEventListener('abort', hurry);
    try {
      await this.runs[hook].join(() => this.call(hook));
    } finally {
      signal.removeEventListener('abort', hurry);
    }
  }

  private async call(hook: StopHook): Promise<void> {
    const { signal } = this.controller;
    this.observer.begun(hook);
    const work = (async () => this.hooks[hook]?.(signal))();
    try {
      if (!(await endedBy(work, signal, lastTurns))) this.giveUpOn(hook, work);
    } catch (error) {
      this.observer.failed(error);
      throw error;
    } finally {
      this.runs[hook].current = Promise.resolve(); // whoever comes later has nothing to wait for, nor to report again
      this.over ||= hook === 'stopped';
      this.observer.ended(hook);
    }
  }

  private giveUpOn(hook: StopHook, work: Promise<void>): void {
    this.givenUp.add(hook);
    const onEnd = (): void => {
      this.givenUp.delete(hook);
      this.observer.endedLate();
    };
    work.then(onEnd, (error: unknown) => {
      this.observer.failed(error);
      onEnd();
    });
  }
}
