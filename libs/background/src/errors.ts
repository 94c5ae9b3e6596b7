/* Longer than 300 lines because all errors of the library stand in one place, each with what to do about it. */

import { nearest, NightshiftError } from 'nestjs-nightshift/channels';

/** `BackgroundModule.forRoot()` or `forRootAsync()` was imported more than once in one application. */
export class ModuleRegisteredTwiceError extends NightshiftError {
  readonly code = 'MODULE_REGISTERED_TWICE';

  constructor() {
    super(
      'BackgroundModule.forRoot() is imported twice in this application, so every worker would run twice. ' +
        'Import it once, in the root module: it is global. Further queues are added with BackgroundModule.registerQueue().',
    );
  }
}

/** Another module provides an `ApplicationLifetime` of its own, which nothing would ever signal or listen to. */
export class LifetimeReplacedError extends NightshiftError {
  readonly code = 'LIFETIME_REPLACED';

  constructor(readonly module: string) {
    super(
      `${module} provides an ApplicationLifetime of its own: who injects it there would wait for signals that never come, ` +
        'and ask in vain for a stop. Take it out of the providers: BackgroundModule is global, so it is injected as it is.',
    );
  }
}

/** `BackgroundModule.registerQueue()` was used without `BackgroundModule.forRoot()`. */
export class ModuleNotRegisteredError extends NightshiftError {
  readonly code = 'MODULE_NOT_REGISTERED';

  constructor(used: string) {
    super(`${used} needs BackgroundModule.forRoot(): import it once, in the root module.`);
  }
}

/** Two services, or two queues, claim one name. */
export class DuplicateNameError extends NightshiftError {
  readonly code = 'DUPLICATE_NAME';

  constructor(
    readonly kind: 'service' | 'queue',
    readonly duplicate: string,
  ) {
    super(
      `Two ${kind}s are named '${duplicate}'. Names tell ${kind}s apart in logs, health and the API: ` +
        `give one of them another with the \`name\` option.`,
    );
  }
}

/** No service or queue has this name. */
export class UnknownNameError extends NightshiftError {
  readonly code = 'UNKNOWN_NAME';

  constructor(
    readonly kind: 'service' | 'queue',
    readonly unknown: string,
    readonly known: readonly string[],
  ) {
    const suggestion = nearest(unknown, known);
    super(
      `There is no ${kind} named '${unknown}'.` +
        (suggestion === undefined ? '' : ` Did you mean '${suggestion}'?`) +
        (known.length === 0 ? ` No ${kind} is registered.` : ` Known: ${known.join(', ')}.`),
    );
  }
}

/** A class that is to be a service has nothing that could be run. */
export class NotAServiceError extends NightshiftError {
  readonly code = 'NOT_A_SERVICE';

  constructor(
    readonly service: string,
    expected: string,
  ) {
    super(`${service} cannot run as a service: ${expected}.`);
  }
}

/** A long-lived service depends on something that lives for one scope only. */
export class CaptiveDependencyError extends NightshiftError {
  readonly code = 'CAPTIVE_DEPENDENCY';

  constructor(
    readonly service: string,
    /** From the service to the request-scoped provider, both included. */
    readonly path: readonly string[],
  ) {
    super(
      `${service} lives as long as the application, but depends on a request-scoped provider: ${path.join(' -> ')}. ` +
        'Either make it tick, @BackgroundService({ every: ... }), so that each tick has a fresh scope, ' +
        'or inject ServiceScopeFactory and resolve that provider inside a scope of your own.',
    );
  }
}

/** A tick operation (`trigger`, `pause`, `resume`, `reschedule`) on a service that does not tick. */
export class NotTickedError extends NightshiftError {
  readonly code = 'NOT_TICKED';

  constructor(
    readonly service: string,
    kind: string,
    operation: string,
  ) {
    const why =
      kind === 'queue' ? 'a queue: its TaskQueue has pause() and resume()' : 'without `every` and `cron`';
    super(`${operation}() needs a service that ticks, but '${service}' is ${why}.`);
  }
}

/** The operation does not fit the state that the service or the host is in. */
export class IllegalStateError extends NightshiftError {
  readonly code = 'ILLEGAL_STATE';

  constructor(
    readonly subject: string,
    readonly state: string,
    operation: string,
  ) {
    super(`${operation} is not possible while ${subject} is ${state}.`);
  }
}

/** `startupTimeout` elapsed and a service gave up starting because of it. */
export class StartupTimeoutError extends NightshiftError {
  readonly code = 'STARTUP_TIMED_OUT';

  constructor(
    readonly timeoutMs: number,
    options?: ErrorOptions,
  ) {
    super(`The host did not start within startupTimeout (${timeoutMs} ms).`, options);
  }
}

/**
 * The reason of every signal that is aborted because something is asked to stop. Named `AbortError`, as the platform's
 * own cancellations are, so that code which already tells those from failures needs no change.
 */
export class StoppingError extends NightshiftError {
  readonly code = 'STOPPING';

  constructor(subject: string) {
    super(`${subject} is stopping.`);
    this.name = 'AbortError';
  }
}

/** A tick ran for longer than its `timeout`. The reason of its signal, and its outcome. */
export class TickTimeoutError extends NightshiftError {
  readonly code = 'TICK_TIMED_OUT';

  constructor(
    readonly service: string,
    readonly timeoutMs: number,
  ) {
    super(`A tick of '${service}' ran for longer than its timeout of ${timeoutMs} ms.`);
  }
}

/** Something was resolved from a scope that has been disposed. */
export class ScopeDisposedError extends NightshiftError {
  readonly code = 'SCOPE_DISPOSED';

  constructor(token: string) {
    super(
      `${token} was resolved from a scope that is already disposed. ` +
        'Resolve inside the tick, the task or the `run()` callback, and await all work that uses the scope there.',
    );
  }
}

/** The queue takes no more work, because the application is stopping. */
export class QueueClosedError extends NightshiftError {
  readonly code = 'QUEUE_CLOSED';

  constructor(readonly queue: string) {
    super(
      `Queue '${queue}' takes no more work because the application is stopping. ` +
        'Answer 503 to whoever asked, or let the caller try again on another instance.',
    );
  }
}

/** A task waits for space in its own full queue while every place to run is held by tasks that wait likewise. */
export class QueueSelfWaitError extends NightshiftError {
  readonly code = 'QUEUE_WAITS_FOR_ITSELF';

  constructor(
    readonly queue: string,
    concurrency: number,
  ) {
    super(
      `Queue '${queue}' is full, and all tasks that it runs (concurrency ${concurrency}) wait for space in it, so none ` +
        'would ever come free. Raise its capacity or concurrency, use tryEnqueue(), or hand the work to another queue.',
    );
  }
}

/** What was given as work is not a function. */
export class InvalidWorkError extends NightshiftError {
  readonly code = 'INVALID_WORK';

  constructor(got: string) {
    super(
      `A task must be a function, such as async ({ signal, scope }) => { ... }, or what defineTask() gave, but got ${got}.`,
    );
  }
}

/** The base of the errors with which `TaskHandle.result()` rejects when the work itself did not fail. */
export abstract class TaskOutcomeError extends NightshiftError {
  constructor(
    readonly taskId: string,
    readonly queue: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The task ran for longer than its `timeout`. Also the reason of its signal. */
export class TaskTimeoutError extends TaskOutcomeError {
  readonly code = 'TASK_TIMED_OUT';

  constructor(
    taskId: string,
    queue: string,
    readonly timeoutMs: number,
  ) {
    super(
      taskId,
      queue,
      `Task ${taskId} of queue '${queue}' ran for longer than its timeout of ${timeoutMs} ms.`,
    );
  }
}

/** A record that is written to many tasks at once is made of an error without an id. */
function taskOf(taskId: string, queue: string): string {
  return `${taskId === '' ? 'A task' : `Task ${taskId}`} of queue '${queue}'`;
}

/** The task was cancelled by `TaskHandle.cancel()`. `cause` is the reason given. Also the reason of its signal. */
export class TaskCancelledError extends TaskOutcomeError {
  readonly code = 'TASK_CANCELLED';

  constructor(taskId: string, queue: string, reason?: unknown) {
    super(
      taskId,
      queue,
      `${taskOf(taskId, queue)} was cancelled${typeof reason === 'string' ? `: ${reason}` : ''}.`,
      reason === undefined ? undefined : { cause: reason },
    );
  }
}

/** The task was dropped by its queue's `fullMode` before it ran. */
export class TaskDroppedError extends TaskOutcomeError {
  readonly code = 'TASK_DROPPED';

  constructor(
    taskId: string,
    queue: string,
    readonly fullMode: string,
  ) {
    super(
      taskId,
      queue,
      `Task ${taskId} was dropped: queue '${queue}' was full and its fullMode is '${fullMode}'.`,
    );
  }
}

/**
 * The task's own work gave it up, with `TaskContext.discard()`, or a task with its `deduplicationKey` took its place.
 * `cause` is the reason given.
 */
export class TaskDiscardedError extends TaskOutcomeError {
  readonly code = 'TASK_DISCARDED';

  constructor(taskId: string, queue: string, reason?: unknown) {
    super(
      taskId,
      queue,
      `${taskOf(taskId, queue)} was discarded${typeof reason === 'string' ? `: ${reason}` : ''}.`,
      reason === undefined ? undefined : { cause: reason },
    );
  }
}

/** The task had not begun to run when its `expiresIn` was over. */
export class TaskExpiredError extends TaskOutcomeError {
  readonly code = 'TASK_EXPIRED';

  constructor(
    taskId: string,
    queue: string,
    readonly expiresInMs: number,
  ) {
    super(
      taskId,
      queue,
      `Task ${taskId} of queue '${queue}' had not begun within its expiresIn of ${expiresInMs} ms, and will not run.`,
    );
  }
}

/**
 * The application stopped before the task could finish. Also the reason of its signal. `cause` is the error of the last
 * attempt, when there was one.
 */
export class TaskAbandonedError extends TaskOutcomeError {
  readonly code = 'TASK_ABANDONED';

  constructor(taskId: string, queue: string, lastError?: unknown) {
    super(
      taskId,
      queue,
      `Task ${taskId} of queue '${queue}' was given up: the application stopped before it finished.`,
      lastError === undefined ? undefined : { cause: lastError },
    );
  }
}

/** One error stays itself; several become one that holds them all. `undefined` when there are none. */
export function combineErrors(errors: readonly unknown[], message: string): unknown {
  return errors.length <= 1 ? errors[0] : new AggregateError(errors, message);
}

/** Whether `error` only says that `signal` was aborted, as opposed to a failure that happened meanwhile. */
export function isCancellation(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}

/* Typed tasks. */

/** What is wrong at one place of a payload. */
export interface PayloadIssue {
  /** Where: `payload.photos[3].takenAt`. */
  readonly path: string;
  /** What is wrong there, in the words of the schema if it was the schema that said so. */
  readonly message: string;
}

/** How many issues a message tells. All of them are in `issues`. */
const issuesTold = 10;

/** The payload of a typed task cannot be used: JSON cannot carry it, or the schema of its definition refuses it. */
export class InvalidPayloadError extends NightshiftError {
  readonly code = 'INVALID_PAYLOAD';

  constructor(
    /** The name of the definition. */
    readonly task: string,
    readonly issues: readonly PayloadIssue[],
    /** Which of several payloads it was, counted from 0: of `enqueueMany()`. */
    readonly index?: number,
    options?: ErrorOptions,
  ) {
    const lines = issues.slice(0, issuesTold).map(({ path, message }) => `\n- ${path}: ${message}`);
    const more = issues.length > issuesTold ? `\n- and ${issues.length - issuesTold} more` : '';
    const which = index === undefined ? 'a payload' : `payload ${index}, counted from 0,`;
    super(`Task '${task}' got ${which} that cannot be used:${lines.join('')}${more}`, options);
  }
}

/** The schema of a definition validates asynchronously, and `tryEnqueue()` cannot wait. */
export class AsyncPayloadSchemaError extends NightshiftError {
  readonly code = 'ASYNC_PAYLOAD_SCHEMA';

  constructor(readonly task: string) {
    super(
      `tryEnqueue() cannot wait for the schema of task '${task}', which validates asynchronously. ` +
        'Use enqueue(), with a signal if it must not wait for room, or take the asynchronous checks out of the schema.',
    );
  }
}

/** A typed task that no provider of this application handles. */
export class NoTaskHandlerError extends NightshiftError {
  readonly code = 'NO_TASK_HANDLER';

  constructor(
    /** The name of the definition. */
    readonly task: string,
    readonly known: readonly string[],
  ) {
    const suggestion = nearest(task, known);
    super(
      `No provider of this application handles task '${task}'.` +
        (suggestion === undefined ? '' : ` Did you mean '${suggestion}'?`) +
        ' Put @TaskHandler(definition) on a class with handle(), and that class into the providers of a module.' +
        (known.length === 0 ? ' No task is handled so far.' : ` Handled: ${known.join(', ')}.`),
    );
  }
}

/** Two providers handle one typed task, so that nobody could say which of them runs. */
export class DuplicateTaskHandlerError extends NightshiftError {
  readonly code = 'DUPLICATE_TASK_HANDLER';

  constructor(
    /** The name of the definition. */
    readonly task: string,
    readonly handlers: readonly [string, string],
  ) {
    super(
      `Task '${task}' is handled by ${handlers.join(' and by ')}. Definitions are told apart by name: ` +
        'give one of them another name, or take one of the handlers out of the providers.',
    );
  }
}

/** A class with `@TaskHandler()` has nothing that could be called. */
export class NotATaskHandlerError extends NightshiftError {
  readonly code = 'NOT_A_TASK_HANDLER';

  constructor(
    readonly handler: string,
    /** The name of the definition. */
    readonly task: string,
  ) {
    super(
      `${handler} cannot handle task '${task}': a @TaskHandler() needs the method handle(payload, context).`,
    );
  }
}

/** A typed task was enqueued in another queue than its definition names. */
export class WrongQueueError extends NightshiftError {
  readonly code = 'WRONG_QUEUE';

  constructor(
    /** The name of the definition. */
    readonly task: string,
    readonly queue: string,
    readonly expected: string,
  ) {
    super(
      `Task '${task}' belongs into queue '${expected}', says its definition, but was enqueued in '${queue}'. ` +
        `Inject the other queue with @InjectTaskQueue('${expected}'), or leave \`queue\` out of the definition.`,
    );
  }
}

/** Of several payloads some were accepted before something went wrong: `cause` says what. */
export class PartlyEnqueuedError extends NightshiftError {
  readonly code = 'PARTLY_ENQUEUED';

  constructor(
    readonly queue: string,
    /** Of those that were accepted, in order: they run. */
    readonly handles: readonly { readonly id: string; cancel(reason?: unknown): Promise<boolean> }[],
    total: number,
    options: ErrorOptions,
  ) {
    super(
      `Queue '${queue}' accepted ${handles.length} of ${total} tasks, and then no more: see \`cause\`. ` +
        'The `handles` are those of the tasks that it accepted: cancel these, or enqueue the rest later.',
      options,
    );
  }
}

/* Engines. */

/** The engine of a queue cannot do what was asked for. Nothing of it has been done. */
export class NotSupportedError extends NightshiftError {
  readonly code = 'NOT_SUPPORTED';

  constructor(
    readonly engine: string,
    /** What it cannot do: one of `EngineFeature`. */
    readonly feature: string,
    why: string,
  ) {
    super(`Engine '${engine}' cannot do this (${feature}): ${why}`);
  }
}

/** A closure was enqueued in a durable queue. */
export class ClosureNotDurableError extends NightshiftError {
  readonly code = 'CLOSURE_NOT_DURABLE';

  constructor(
    readonly queue: string,
    engine: string,
  ) {
    super(
      `Queue '${queue}' keeps its tasks in '${engine}', where no closure can be kept: what it encloses would be gone after a ` +
        'restart. Either make it a typed task, with defineTask() and a @TaskHandler() class, or enqueue it in a queue that is ' +
        'in memory: BackgroundModule.registerQueue({ name: ..., engine: memoryEngine() }).',
    );
  }
}

/** A task with the same `deduplicationKey` is there, and `onConflict` is `'reject'`. */
export class DuplicateTaskError extends NightshiftError {
  readonly code = 'DUPLICATE_TASK';

  constructor(
    readonly queue: string,
    readonly key: string,
    /** The id of the one that is there. */
    readonly taskId: string,
  ) {
    super(
      `Queue '${queue}' has a task with the deduplicationKey '${key}' already: ${taskId}. Nothing was enqueued.`,
    );
  }
}

/** There is no such task in the queue: it was never accepted, it has ended and is not kept, or it was removed. */
export class UnknownTaskError extends NightshiftError {
  readonly code = 'UNKNOWN_TASK';

  constructor(
    readonly queue: string,
    readonly taskId: string,
  ) {
    super(
      `Queue '${queue}' has no task ${taskId}: it was never committed, it may have ended and is not kept, or it was removed. ` +
        'How long ended tasks are kept is the `retention` of the queue.',
    );
  }
}

/** The process that ran the task ended too often in the middle of it. */
export class TaskInterruptedError extends TaskOutcomeError {
  readonly code = 'TASK_INTERRUPTED';

  constructor(taskId: string, queue: string, times: number) {
    super(
      taskId,
      queue,
      `Task ${taskId} of queue '${queue}' was interrupted ${times} times by the end of its process, and is not run again by ` +
        'itself: it may be what ends the process. Retry it by hand when that is mended.',
    );
  }
}

/** The task was taken away from this process, which others took for dead. The reason of its signal. */
export class TaskSupersededError extends TaskOutcomeError {
  readonly code = 'TASK_SUPERSEDED';

  constructor(taskId: string, queue: string) {
    super(
      taskId,
      queue,
      `Task ${taskId} of queue '${queue}' was given to another worker, because this one gave no sign of life for too long.`,
    );
    this.name = 'AbortError';
  }
}

/** The application stopped before the task had ended. It is kept, and goes on when the application starts again, or elsewhere. */
export class TaskUnfinishedError extends TaskOutcomeError {
  readonly code = 'TASK_UNFINISHED';

  constructor(taskId: string, queue: string) {
    super(
      taskId,
      queue,
      `Task ${taskId} of queue '${queue}' had not ended when this application stopped waiting for it. It is kept, and goes on ` +
        'at the next start or in another process.',
    );
  }
}

/** A task has failed in another process, or before a restart: `record` is what was kept of its error. */
export class TaskFailedError extends TaskOutcomeError {
  readonly code = 'TASK_FAILED';

  constructor(
    taskId: string,
    queue: string,
    /** `name`, `message`, and what else was kept. */
    readonly record: { readonly name: string; readonly message: string; readonly code?: string },
    options?: ErrorOptions,
  ) {
    super(taskId, queue, record.message, options);
  }
}

/**
 * A store does not take what became of a task, because of what is in it, and would not take it the next time. Thrown by drivers
 * of stores; the engine then stores the outcome without it.
 */
export class UnstorableOutcomeError extends NightshiftError {
  readonly code = 'UNSTORABLE_OUTCOME';

  constructor(
    readonly taskId: string,
    options: ErrorOptions,
  ) {
    super(
      `The store does not take what became of task ${taskId}, see \`cause\`: its outcome is stored without it. Return a result, ` +
        'or throw an error, that the store can keep.',
      options,
    );
  }
}

/** The result of a completed task cannot be had: it is none that JSON can carry, or is kept no longer. */
export class TaskResultLostError extends TaskOutcomeError {
  readonly code = 'TASK_RESULT_LOST';

  constructor(taskId: string, queue: string, why: string, options?: ErrorOptions) {
    super(taskId, queue, `Task ${taskId} of queue '${queue}' is completed, but its result ${why}.`, options);
  }
}
