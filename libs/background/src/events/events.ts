/**
 * Every event, as data. The union is closed: a `switch` over `type` can be exhaustive. `at` is when it happened.
 * docs/events.md describes each one; a test compares the two.
 */
export type BackgroundEvent = EventOf<BackgroundEventType>;

/** The name of an event: `<what it is about>.<what happened>`. */
export type BackgroundEventType = keyof EventDetails;

/** The event of one type; of several types the union of theirs. */
export type EventOf<T extends BackgroundEventType> = T extends BackgroundEventType
  ? { readonly type: T; readonly at: Date } & Readonly<EventDetails[T]>
  : never;

/** How a tick ended. */
export type TickOutcome = 'completed' | 'failed' | 'timedOut' | 'cancelled' | 'skipped';

/** What a service is: a `HostedService`, a long-running or ticking `BackgroundService`, or the worker of a queue. */
export type ServiceKind = 'hosted' | 'longRunning' | 'ticked' | 'queue';

interface OfService {
  service: string;
  kind: ServiceKind;
}
interface OfTick {
  service: string;
  tickId: string;
  scheduledAt: Date;
}
interface OfQueue {
  queue: string;
}
interface OfTask extends OfQueue {
  taskId: string;
  /** The name of the work. */
  name: string;
}

/** What each event carries besides `type` and `at`. Durations are milliseconds. */
export interface EventDetails {
  'host.starting': { services: number };
  'host.started': { services: readonly string[]; durationMs: number };
  'host.startFailed': { error: unknown };
  /** Stopping was asked for: no new tick starts from here on. */
  'host.stopping': { reason: unknown };
  'host.stopped': { durationMs: number; errors: readonly unknown[] };
  /** The deadline of the shutdown passed. */
  'host.deadlinePassed': { timeoutMs: number };
  /** Something is set up in a way that will lose work or run it twice. `code` names the condition. */
  'host.warning': { code: string; message: string };

  'service.started': OfService;
  /** A long-running `execute()` returned by itself, or a schedule has no further tick. */
  'service.completed': OfService;
  'service.faulted': OfService & { error: unknown; consequence: 'stopHost' | 'none' };
  'service.restarting': OfService & { error: unknown; restarts: number; delayMs: number };
  /** A service failed too often within its restart window. */
  'service.gaveUp': OfService & { error: unknown; restarts: number };
  'service.stopping': OfService;
  'service.stopped': OfService & { durationMs: number };
  /** A hook of the stop threw. */
  'service.stopFailed': OfService & { error: unknown };
  /** The deadline passed and this, hooks or work, was still running. It is waited for no longer. */
  'service.abandoned': OfService & { running: readonly string[] };
  'service.paused': OfService;
  'service.resumed': OfService;
  'service.rescheduled': OfService & { nextTickAt: Date | undefined };

  'tick.started': OfTick;
  'tick.completed': OfTick & { durationMs: number };
  'tick.failed': OfTick & { durationMs: number; error: unknown };
  /** The tick's `timeout` elapsed and its signal was aborted; the tick may still be running. */
  'tick.timedOut': OfTick & { timeoutMs: number };
  'tick.cancelled': OfTick & { durationMs: number };
  /**
   * A due tick did not run: because one was still running (`overlap`), it was too late (`misfire`), another process runs it
   * or has run it (`exclusive`), or nobody could tell because its claim failed (`storage`).
   */
  'tick.skipped': {
    service: string;
    scheduledAt: Date;
    because: 'overlap' | 'misfire' | 'exclusive' | 'storage';
  };
  /** This process had claimed a tick and leaves it, not begun, to whichever looks next. */
  'tick.released': { service: string; scheduledAt: Date };

  /** The storage of occurrences did not answer. It is asked again after `retryInMs`, unless that is `undefined`. */
  'occurrence.storageFailed': {
    service: string;
    operation: 'latest' | 'claim' | 'complete' | 'release';
    /** The occurrence; `undefined` for `latest`. */
    scheduledAt: Date | undefined;
    error: unknown;
    retryInMs: number | undefined;
  };

  'queue.paused': OfQueue;
  'queue.resumed': OfQueue;
  /** The queue takes no more work from outside and runs what it holds; a durable one waits only for what runs. */
  'queue.draining': OfQueue & { waiting: number; active: number; scheduled: number; durable: boolean };
  'queue.drained': OfQueue & { completed: number; durationMs: number };
  /** The queue closed with work left: what never began, what was to be retried, what was running and had to be aborted. */
  'queue.abandoned': OfQueue & {
    waiting: readonly TaskLabel[];
    retrying: readonly TaskLabel[];
    running: readonly TaskLabel[];
  };

  /** What an engine does by itself, such as renewing its leases, failed. It tries again. */
  'engine.failed': { engine: string; during: string; error: unknown };
  /** Waiting tasks of a durable queue have no handler in this application: they are parked until there is one. */
  'queue.parked': OfQueue & { definitions: readonly string[] };
  /** Tasks of a process that ended in the middle of them were given back, to run again here or elsewhere. */
  'queue.recovered': OfQueue & { tasks: readonly TaskLabel[] };

  'task.enqueued': OfTask;
  /** The queue accepted it and holds it until `runAt`. */
  'task.scheduled': OfTask & { runAt: Date };
  /** A task with the key of this one, which is not done yet, was enqueued: nothing was added. */
  'task.deduplicated': OfTask & { key: string };
  'task.started': OfTask;
  'task.completed': OfTask & { durationMs: number };
  /** An attempt ended, and another one follows. `error` is `undefined` when the work put itself off. */
  'task.retrying': OfTask & { attempt: number; maxAttempts: number; delayMs: number; error: unknown };
  /** It threw, for the last time. `attempt` says how many times it was tried, and `durationMs` is that of the last. */
  'task.failed': OfTask & { attempt: number; durationMs: number; error: unknown };
  /** Its own work gave it up. */
  'task.discarded': OfTask & { reason: unknown };
  /** Its signal was aborted; it may still be running. With the last attempt the task is dead, and this is its end. */
  'task.timedOut': OfTask & { attempt: number; timeoutMs: number; isLast: boolean };
  /** A task ignored its aborted signal, so its place went to the next one although it still runs. */
  'task.overran': OfTask & { graceMs: number };
  'task.cancelled': OfTask & { reason: unknown };
  /** It had not begun when its `expiresIn` was over. */
  'task.expired': OfTask & { expiresInMs: number };
  'task.dropped': OfTask & { fullMode: string };
  /** It had not begun when one with its key took its place. */
  'task.replaced': OfTask & { key: string };
  /** It is to run again, by hand, with all its attempts. */
  'task.retried': OfTask;
  /** It was running when its process was told to stop, and did not end in time: it is kept, and runs again. */
  'task.interrupted': OfTask;
  /** It had been given to another worker when it ended here: what became of it here does not count. */
  'task.superseded': OfTask;
  /** It is completed, and what it gave back cannot be kept. */
  'task.resultLost': OfTask & { error: unknown };

  'scope.disposeFailed': { owner: string; error: unknown };
  /** A listener of this very stream threw. */
  'listener.failed': { during: BackgroundEventType; error: unknown };
}

/** A task, as events and logs name it. */
export interface TaskLabel {
  readonly taskId: string;
  readonly name: string;
}
