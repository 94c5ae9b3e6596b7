import { DuplicateNameError, UnknownNameError } from '../errors.js';
import type { ServiceDefinition } from '../hosting/supervisor.js';
import { MemoryEngine } from './memory-engine.js';
import { QueueWorker, type QueueWorkerDependencies } from './queue-worker.js';
import type { TaskExecutionDependencies } from './task-execution.js';
import { TaskHandlers } from './task-handlers.js';
import { TaskQueue } from './task-queue.js';
import type { ResolvedQueueOptions } from './tasks.options.js';

/** Makes the queues of an application, and the worker service of each. */
export class QueueRegistry {
  private readonly byName = new Map<string, TaskQueue>();
  private readonly definitions: ServiceDefinition[] = [];
  private readonly runners: QueueWorker[] = [];

  /** @param handlers those of typed tasks, which all queues share */
  constructor(
    private readonly dependencies: TaskExecutionDependencies & QueueWorkerDependencies,
    readonly handlers: TaskHandlers = new TaskHandlers(),
  ) {}

  /** Every queue, in the order in which they were made. */
  get queues(): readonly TaskQueue[] {
    return [...this.byName.values()];
  }

  /** The services that run the queues. */
  get workers(): readonly ServiceDefinition[] {
    return this.definitions;
  }

  /** @throws DuplicateNameError */
  create(options: ResolvedQueueOptions): TaskQueue {
    const { name } = options;
    if (this.byName.has(name)) throw new DuplicateNameError('queue', name);
    const engine = new MemoryEngine(options, this.dependencies);
    const queue = new TaskQueue(options, engine, this.handlers);
    this.byName.set(name, queue);
    const runner = new QueueWorker(engine, () => this.runners, this.dependencies);
    this.runners.push(runner);
    this.definitions.push({ name: `queue:${name}`, runner, exceptionBehavior: 'stopHost', enabled: true });
    return queue;
  }

  /**
   * Closes the queues that the host has not: those whose worker was disabled, or never started. What waits there is
   * reported, and producers who wait are released.
   */
  async closeRest(): Promise<void> {
    for (const worker of this.runners) if (!worker.engine.isOver) await worker.stop(AbortSignal.abort());
  }

  /** @throws UnknownNameError when there is no such queue; it names the nearest one */
  queue(name: string): TaskQueue {
    const queue = this.byName.get(name);
    if (queue === undefined) throw new UnknownNameError('queue', name, [...this.byName.keys()]);
    return queue;
  }
}
