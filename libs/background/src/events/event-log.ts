import { inspect } from 'node:util';
import type { BackgroundEvents } from './background-events.js';
import type { BackgroundEventType, EventOf, TaskLabel } from './events.js';

/** What log lines are written to: Nest's `Logger`, or anything alike. */
export interface LogTarget {
  log(message: string): void;
  warn(message: string): void;
  error(message: string, stack?: string): void;
  debug(message: string): void;
}

/** How many tasks a line names before it only counts. */
const namedAtMost = 10;
/** A queue that drops task after task gets one line in this time, in milliseconds. */
const dropLineEveryMs = 10_000;

const skips: Readonly<Record<EventOf<'tick.skipped'>['because'], string>> = {
  overlap: 'the one before is still running',
  misfire: 'it came too late',
  exclusive: 'another process has it',
  storage: 'it could not be claimed',
};

type Wordings = { readonly [T in BackgroundEventType]?: (event: EventOf<T>, log: LogTarget) => void };

/** Turns events into log lines: the one place that words them. What happens for every tick or task is not logged. */
export function logEvents(events: BackgroundEvents, target: LogTarget): () => void {
  const wordings = createWordings();
  const ends = (Object.keys(wordings) as (keyof Wordings)[]).map((type) => {
    const word = wordings[type] as (event: unknown, log: LogTarget) => void; // the wording of that very type
    return events.on(type, (event) => word(event, target));
  });
  return () => {
    for (const end of ends) end();
  };
}

function createWordings(): Wordings {
  const drops = new DropCounter();
  return {
    'host.started': ({ services, durationMs }, log) =>
      log.log(
        `Started ${count(services.length, 'service')} in ${duration(durationMs)}: ${services.join(', ') || 'none'}`,
      ),
    'host.startFailed': ({ error }, log) => log.error(`Start failed: ${messageOf(error)}`, stackOf(error)),
    'host.stopping': ({ reason }, log) =>
      log.log(
        reason === undefined
          ? 'Stopping: no new ticks'
          : `Stopping because: ${messageOf(reason)}. No new ticks`,
      ),
    'host.deadlinePassed': ({ timeoutMs }, log) =>
      log.warn(
        `The time to stop (shutdownTimeout, ${duration(timeoutMs)}) is up: what still runs is aborted and left behind`,
      ),
    'host.stopped': ({ durationMs }, log) => {
      drops.flush(log);
      log.log(`Stopped in ${duration(durationMs)}`);
    },
    'host.warning': ({ message }, log) => log.warn(message),

    'service.completed': ({ service }, log) => log.log(`Service '${service}' completed`),
    'service.faulted': ({ service, error, consequence }, log) => {
      const then = consequence === 'stopHost' ? 'the application is being stopped' : 'the others go on';
      log.error(`Service '${service}' faulted, and ${then}: ${messageOf(error)}`, stackOf(error));
    },
    'service.restarting': ({ service, error, restarts, delayMs }, log) =>
      log.warn(
        `Service '${service}' faulted; restart ${restarts} in ${duration(delayMs)}: ${messageOf(error)}`,
      ),
    'service.gaveUp': ({ service, restarts }, log) =>
      log.error(`Service '${service}' is given up after ${count(restarts, 'restart')}`),
    'service.stopped': ({ service, kind, durationMs }, log) => {
      if (kind !== 'queue' && durationMs >= 100)
        log.log(`Waited ${duration(durationMs)} for service '${service}' to stop`);
    },
    'service.stopFailed': ({ service, error }, log) =>
      log.error(`Service '${service}' failed to stop: ${messageOf(error)}`, stackOf(error)),
    'service.abandoned': ({ service, kind, running }, log) => {
      if (kind !== 'queue')
        log.error(
          `Service '${service}' did not stop in time and is left behind. Still running: ${running.join(', ')}`,
        );
    },
    'service.paused': ({ service }, log) => log.log(`Service '${service}' paused`),
    'service.resumed': ({ service }, log) => log.log(`Service '${service}' resumed`),
    'service.rescheduled': ({ service, nextTickAt }, log) =>
      log.log(`Service '${service}' rescheduled; next tick ${nextTickAt?.toISOString() ?? 'when resumed'}`),

    'tick.failed': ({ service, error }, log) =>
      log.error(`A tick of '${service}' failed: ${messageOf(error)}`, stackOf(error)),
    'tick.timedOut': ({ service, timeoutMs }, log) =>
      log.warn(`A tick of '${service}' exceeded its timeout of ${duration(timeoutMs)} and was told to stop`),
    'tick.skipped': ({ service, scheduledAt, because }, log) => {
      log.debug(
        `The tick of '${service}' due at ${scheduledAt.toISOString()} was skipped: ${skips[because]}`,
      );
    },
    'tick.released': ({ service, scheduledAt }, log) =>
      log.debug(`The tick of '${service}' due at ${scheduledAt.toISOString()} is left to another process`),

    'occurrence.storageFailed': ({ service, operation, scheduledAt, error, retryInMs }, log) => {
      const what = scheduledAt === undefined ? '' : ` of the tick due at ${scheduledAt.toISOString()}`;
      const then = retryInMs === undefined ? 'not tried again' : `again in ${duration(retryInMs)}`;
      log.warn(
        `The storage of occurrences failed ('${operation}'${what} for service '${service}'), ${then}: ${messageOf(error)}`,
      );
    },

    'queue.paused': ({ queue }, log) => log.log(`Queue '${queue}' paused`),
    'queue.resumed': ({ queue }, log) => log.log(`Queue '${queue}' resumed`),
    'queue.draining': ({ queue, waiting, active, scheduled, durable }, log) => {
      if (waiting + active + scheduled === 0) return;
      const later = scheduled > 0 ? `, ${scheduled} scheduled` : '';
      if (durable) {
        log.log(`Queue '${queue}' stops: ${active} running, and ${waiting} waiting${later} are kept`);
        return;
      }
      log.log(`Queue '${queue}' drains: ${waiting} waiting, ${active} running${later}`);
    },
    'queue.drained': ({ queue, completed, durationMs }, log) => {
      if (completed > 0)
        log.log(`Queue '${queue}' drained: waited ${duration(durationMs)} for ${count(completed, 'task')}`);
    },
    'queue.abandoned': ({ queue, waiting, retrying, running }, log) => {
      const retried = retrying.length > 0 ? `. Not retried: ${listTasks(retrying)}` : '';
      log.error(
        `Queue '${queue}' closed with work left. Never began: ${listTasks(waiting)}${retried}. Aborted: ${listTasks(running)}`,
      );
    },

    'engine.failed': ({ engine, during, error }, log) =>
      log.error(`Engine '${engine}' failed (${during}): ${messageOf(error)}`, stackOf(error)),
    'queue.parked': ({ queue, definitions }, log) =>
      log.warn(
        `Queue '${queue}' has tasks that nothing here handles. They wait until there is a @TaskHandler() for: ${definitions.join(', ')}`,
      ),
    'queue.recovered': ({ queue, tasks }, log) =>
      log.warn(`Queue '${queue}' takes back what a process left in the middle: ${listTasks(tasks)}`),

    'task.failed': ({ queue, name, taskId, attempt, error }, log) => {
      const times = attempt > 1 ? ` after ${attempt} attempts` : '';
      log.error(
        `Task '${name}' (${taskId}) of queue '${queue}' failed${times}: ${messageOf(error)}`,
        stackOf(error),
      );
    },
    'task.retrying': ({ queue, name, taskId, attempt, maxAttempts, delayMs, error }, log) => {
      const task = `Task '${name}' (${taskId}) of queue '${queue}'`;
      const again = `again in ${duration(delayMs)}`;
      if (error === undefined) log.debug(`${task} put itself off: ${again}`);
      else log.warn(`${task} failed in attempt ${attempt} of ${maxAttempts}, ${again}: ${messageOf(error)}`);
    },
    'task.discarded': ({ queue, name, taskId, reason }, log) => {
      const because = reason === undefined ? '' : `: ${messageOf(reason)}`;
      log.warn(`Task '${name}' (${taskId}) of queue '${queue}' was discarded by its work${because}`);
    },
    'task.expired': ({ queue, name, taskId, expiresInMs }, log) =>
      log.warn(
        `Task '${name}' (${taskId}) of queue '${queue}' had not begun within ${duration(expiresInMs)} and has expired`,
      ),
    'task.timedOut': ({ queue, name, taskId, timeoutMs }, log) =>
      log.warn(
        `Task '${name}' (${taskId}) of queue '${queue}' exceeded its timeout of ${duration(timeoutMs)}`,
      ),
    'task.overran': ({ queue, name, taskId }, log) =>
      log.warn(
        `Task '${name}' (${taskId}) of queue '${queue}' ignores its aborted signal: its place goes to the next task`,
      ),
    'task.dropped': (event, log) => drops.count(event, log),

    'task.interrupted': ({ queue, name, taskId }, log) =>
      log.warn(`Task '${name}' (${taskId}) of queue '${queue}' was interrupted and will run again`),
    'task.superseded': ({ queue, name, taskId }, log) =>
      log.warn(
        `Task '${name}' (${taskId}) of queue '${queue}' ended here after others had taken this process for dead: its outcome does not count`,
      ),
    'task.resultLost': ({ queue, name, taskId, error }, log) =>
      log.warn(
        `Task '${name}' (${taskId}) of queue '${queue}' is completed, but its result cannot be kept: ${messageOf(error)}`,
      ),

    'scope.disposeFailed': ({ owner, error }, log) =>
      log.error(`The scope of ${owner} failed to dispose: ${messageOf(error)}`, stackOf(error)),
    'listener.failed': ({ during, error }, log) =>
      log.error(`A listener of '${during}' threw: ${messageOf(error)}`, stackOf(error)),
  };
}

/** One line for the first task that a queue drops, then one in a while with their number. */
class DropCounter {
  private readonly byQueue = new Map<string, { lineAt: number; dropped: number; fullMode: string }>();

  count({ queue, fullMode, at }: EventOf<'task.dropped'>, log: LogTarget): void {
    const entry = this.byQueue.get(queue) ?? { lineAt: Number.NEGATIVE_INFINITY, dropped: 0, fullMode };
    this.byQueue.set(queue, entry);
    entry.dropped += 1;
    if (at.getTime() - entry.lineAt < dropLineEveryMs) return;
    entry.lineAt = at.getTime();
    this.writeLine(queue, log);
  }

  /** What has not had its line yet. */
  flush(log: LogTarget): void {
    for (const [queue, { dropped }] of this.byQueue) if (dropped > 0) this.writeLine(queue, log);
  }

  private writeLine(queue: string, log: LogTarget): void {
    const entry = this.byQueue.get(queue)!;
    const tasks = count(entry.dropped, 'task');
    log.warn(`Queue '${queue}' is full and dropped ${tasks} (fullMode '${entry.fullMode}')`);
    entry.dropped = 0;
  }
}

function listTasks(tasks: readonly TaskLabel[]): string {
  if (tasks.length === 0) return 'none';
  const named = tasks.slice(0, namedAtMost).map(({ name, taskId }) => `${name} (${taskId})`);
  const rest = tasks.length - named.length;
  return `${tasks.length}: ${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}

function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function messageOf(error: unknown): string {
  return readable(() => {
    if (!(error instanceof Error)) return String(error);
    const parts = error instanceof AggregateError ? error.errors.map(messageOf) : [];
    return parts.length === 0 ? error.message : `${error.message} (${parts.join('; ')})`;
  });
}

function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // The stack alone says nothing of what an error holds or was caused by.
  return readable(() =>
    error instanceof AggregateError || error.cause !== undefined ? inspect(error) : error.stack,
  );
}

/** Anything may be thrown, also what throws when it is looked at. */
function readable<T>(read: () => T): T | string {
  try {
    return read();
  } catch {
    return 'an error that cannot be read';
  }
}
