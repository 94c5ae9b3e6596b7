import { DuplicateNameError, UnknownNameError } from '../errors.js';
import type { ServiceDefinition } from '../hosting/supervisor.js';
import type { BackgroundEngine, EngineDependencies } from './background-engine.js';
import { memoryEngine } from './memory-background-engine.js';
import type { QueueEngine } from './queue-engine.js';
import { QueueWorker, type QueueWorkerDependencies } from './queue-worker.js';
import type { ResolvedQueueOptions } from './queue.options.js';
import type { TaskExecutionDependencies } from './task-execution.js';
import { TaskHandlers } from './task-handlers.js';
import { TaskQueue } from './task-queue.js';

export interface QueueRegistryDependencies extends TaskExecutionDependencies, QueueWorkerDependencies {
  /** Where queues keep their tasks that say nothing of their own. In memory by default. */
  readonly engine?: BackgroundEngine | undefined;
}

/** Makes the queues of an application, and the worker service of each; opens their engines, and closes them. */
export class QueueRegistry {
  /** Those of typed tasks, which all queues share. */
  readonly handlers = new TaskHandlers();
  private readonly byName = new Map<string, { readonly queue: TaskQueue; readonly engine: QueueEngine }>();
  private readonly definitions: ServiceDefinition[] = [];
  private readonly runners: QueueWorker[] = [];
  private readonly opened = new Map<BackgroundEngine, Promise<void>>();
  private readonly defaultEngine: BackgroundEngine;
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly dependencies: QueueRegistryDependencies) {
    this.defaultEngine = dependencies.engine ?? memoryEngine();
  }

  /** Every queue, in the order in which they were made. */
  get queues(): readonly TaskQueue[] {
    return [...this.byName.values()].map(({ queue }) => queue);
  }

  /** The services that run the queues. */
  get workers(): readonly ServiceDefinition[] {
    return this.definitions;
  }

  /**
   * Opens what a queue needs, and makes it. What goes wrong here ends the start of the application, and then nobody else closes
   * the engines that are open.
   */
  async openAndCreate(options: ResolvedQueueOptions): Promise<TaskQueue> {
    if (this.failure !== undefined) throw this.failure.error;
    try {
      await this.open(); // though the queue may have another: services look into it
      await this.open(options.engine);
      return this.create(options);
    } catch (error) {
      this.failure ??= { error };
      await this.close();
      throw error;
    }
  }

  /** Opens an engine unless that has been done, by default that of the queues which say nothing of their own. */
  open(engine = this.defaultEngine): Promise<void> {
    const known = this.opened.get(engine);
    if (known !== undefined) return known;
    const opening = engine.open(this.engineDependencies);
    this.opened.set(engine, opening);
    opening.catch(() => this.opened.delete(engine)); // whoever asked hears of it
    return opening;
  }

  /**
   * Makes a queue of an engine that is open.
   *
   * @throws DuplicateNameError, NotSupportedError
   */
  create(options: ResolvedQueueOptions): TaskQueue {
    const { name } = options;
    if (this.byName.has(name)) throw new DuplicateNameError('queue', name);
    const engine = (options.engine ?? this.defaultEngine).createQueue(options, this.engineDependencies);
    const queue = new TaskQueue(engine, this.handlers);
    this.byName.set(name, { queue, engine });
    const runner = new QueueWorker(engine, () => this.runners, this.dependencies);
    this.runners.push(runner);
    this.definitions.push({ name: `queue:${name}`, runner, exceptionBehavior: 'stopHost', enabled: true });
    return queue;
  }

  /**
   * Closes the queues that the host has not: those whose worker was disabled, or never started. What waits there in memory
   * is reported, and producers who wait are released. Then the engines are closed.
   */
  async close(): Promise<void> {
    for (const worker of this.runners) if (!worker.engine.isOver) await worker.stop(AbortSignal.abort());
    for (const [engine, opening] of this.opened) {
      this.opened.delete(engine);
      await opening.catch(() => {}); // whoever asked for it has heard
      await engine.close().catch((error: unknown) => {
        this.dependencies.events.emit('engine.failed', { engine: engine.name, during: 'close', error });
      });
    }
  }

  /** Whether the queue that a service of this name runs is durable: then it does no harm when nobody runs it here. */
  isDurable(worker: string): boolean {
    const definition = this.runners.find((_, index) => this.definitions[index]!.name === worker);
    return definition?.engine.capabilities.durable ?? false;
  }

  /** @throws UnknownNameError when there is no such queue; it names the nearest one */
  queue(name: string): TaskQueue {
    return this.of(name).queue;
  }

  /** @throws UnknownNameError when there is no such queue; it names the nearest one */
  engine(name: string): QueueEngine {
    return this.of(name).engine;
  }

  private of(name: string): { readonly queue: TaskQueue; readonly engine: QueueEngine } {
    const entry = this.byName.get(name);
    if (entry === undefined) throw new UnknownNameError('queue', name, [...this.byName.keys()]);
    return entry;
  }

  private get engineDependencies(): EngineDependencies {
    return { ...this.dependencies, handlers: this.handlers };
  }
}
