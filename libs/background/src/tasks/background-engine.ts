import type { OccurrenceStorage } from '../hosting/occurrence-storage.js';
import type { QueueEngine, EngineCapabilities } from './queue-engine.js';
import type { TaskExecutionDependencies } from './task-execution.js';
import type { TaskHandlers } from './task-handlers.js';
import type { ResolvedQueueOptions } from './queue.options.js';

/** What an engine is given to make queues of. */
export interface EngineDependencies extends TaskExecutionDependencies {
  /** Those of typed tasks. All are known when the first queue is opened. */
  readonly handlers: TaskHandlers;
}

/**
 * What `forRoot({ engine })` and the option of the same name of a queue take: where tasks are kept. Made by
 * `sqliteEngine()` and its like; without one, tasks are kept in memory.
 *
 * One object may be given to several queues, which then share its file or server, and belongs to one application at a
 * time. `open()` is called once, before the first queue is made, and `close()` once, when all queues of it are closed;
 * what `open()` throws ends the start of the application. An object that has been closed can be opened again.
 */
export interface BackgroundEngine {
  /** What to call it in messages: `'sqlite'`. */
  readonly name: string;
  readonly capabilities: EngineCapabilities;
  open(dependencies: EngineDependencies): Promise<void>;
  /** @throws NotSupportedError when an option of the queue cannot be honoured */
  createQueue(options: ResolvedQueueOptions, dependencies: EngineDependencies): QueueEngine;
  /** Which occurrences of `exclusive` services have run; `undefined` when it cannot keep them. */
  readonly occurrences?: OccurrenceStorage | undefined;
  close(): Promise<void>;
}
