import { Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundEvents,
  BackgroundModule,
  getTaskQueueToken,
  TaskHandler,
  TaskQueue,
  type BackgroundEngine,
  type BackgroundEvent,
  type BackgroundEventType,
  type EventOf,
  type QueueEngine,
  type TaskContext,
  type TaskDefinition,
  type TaskQueueOptions,
} from 'nestjs-nightshift';
import type { Clock } from 'nestjs-nightshift/channels';

/** Whoever does the tasks of a definition. */
export interface ContractHandler {
  readonly definition: TaskDefinition<unknown, unknown>;
  readonly handle: (payload: unknown, context: TaskContext) => unknown;
}

/** What an application of a case is made of. */
export interface EngineApplicationOptions {
  readonly engine: BackgroundEngine;
  readonly clock: Clock;
  readonly handlers: readonly ContractHandler[];
  /** The default queue, and others beside it. */
  readonly queue: TaskQueueOptions;
  readonly queues: readonly (TaskQueueOptions & { name: string })[];
  /** Whether it runs tasks, or only enqueues. */
  readonly runs: boolean;
  readonly shutdownTimeoutMs: number;
}

/** A small application on an engine: what would be a process of its own. */
export class EngineApplication {
  readonly queue: TaskQueue;
  /** Every event from its start on. */
  readonly events: BackgroundEvent[] = [];
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly application: INestApplicationContext,
    private readonly engines: ReadonlyMap<string, QueueEngine>,
  ) {
    this.queue = application.get(TaskQueue);
    application.get(BackgroundEvents).stream.subscribe((event) => this.events.push(event));
  }

  static async start(options: EngineApplicationOptions): Promise<EngineApplication> {
    const engines = new Map<string, QueueEngine>();
    const root = {
      module: EngineContractModule,
      imports: [
        BackgroundModule.forRoot({
          engine: observed(options.engine, engines),
          clock: options.clock,
          enabled: options.runs,
          queue: options.queue,
          shutdownTimeout: options.shutdownTimeoutMs,
        }),
        BackgroundModule.registerQueue(...options.queues),
      ],
      providers: options.handlers.map(toProvider),
    };
    const application = await NestFactory.createApplicationContext(root, {
      logger: false,
      abortOnError: false,
    });
    return new EngineApplication(application, engines);
  }

  /** What is behind the default queue. */
  get engine(): QueueEngine {
    return this.engineOf(this.queue.name);
  }

  engineOf(queue: string): QueueEngine {
    return this.engines.get(queue)!;
  }

  queueNamed(name: string): TaskQueue {
    return this.application.get<TaskQueue>(getTaskQueueToken(name));
  }

  /** The events of one task, by type, in order. */
  lifeOf(taskId: string): BackgroundEventType[] {
    return this.events.flatMap((event) => ('taskId' in event && event.taskId === taskId ? [event.type] : []));
  }

  eventsOf<T extends BackgroundEventType>(type: T): EventOf<T>[] {
    return this.events.filter((event): event is BackgroundEvent & EventOf<T> => event.type === type);
  }

  /** A second call gives the same promise. */
  close(): Promise<void> {
    return (this.closing ??= this.application.close());
  }
}

@Module({})
class EngineContractModule {}

/** The same engine, which notes the queues that it makes. */
function observed(engine: BackgroundEngine, engines: Map<string, QueueEngine>): BackgroundEngine {
  return {
    name: engine.name,
    capabilities: engine.capabilities,
    occurrences: engine.occurrences,
    open: (dependencies) => engine.open(dependencies),
    close: () => engine.close(),
    createQueue: (options, dependencies) => {
      const queue = engine.createQueue(options, dependencies);
      engines.set(options.name, queue);
      return queue;
    },
  };
}

function toProvider({ definition, handle }: ContractHandler): Type {
  class Handler {
    handle(payload: unknown, context: TaskContext): unknown {
      return handle(payload, context);
    }
  }
  TaskHandler(definition)(Handler);
  return Handler;
}
