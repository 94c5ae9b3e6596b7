import { Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BackgroundAdmin,
  BackgroundEvents,
  BackgroundModule,
  defineTask,
  TaskHandler,
  TaskQueue,
  type BackgroundEvent,
  type BackgroundModuleOptions,
  type TaskQueueOptions,
  type TaskContext,
} from 'nestjs-nightshift';
import { postgresEngine, type PostgresEngineOptions } from 'nestjs-nightshift/postgres';
import { onTestFinished } from 'vitest';
import { Schemas } from './postgres.js';

/** A task of the tests. */
export const bake = defineTask<{ cake: string }, string>('bake', { retry: { maxAttempts: 2 } });

export interface ApplicationOptions {
  readonly queue?: BackgroundModuleOptions['queue'];
  /** A queue beside the default one. */
  readonly other?: TaskQueueOptions & { readonly name: string };
  readonly engine?: Partial<PostgresEngineOptions>;
  /** Whose tasks are handled, `bake` if nothing is said. */
  readonly definition?: typeof bake;
  /** Handlers of other tasks. */
  readonly providers?: readonly Type[];
  readonly handle?: (payload: { cake: string }, context: TaskContext) => unknown;
}

/** Schemas that are gone after the test. */
export function newSchemas(url: string): Schemas {
  const schemas = new Schemas(url);
  onTestFinished(() => schemas[Symbol.asyncDispose](), 20_000);
  return schemas;
}

/** An application on the engine, which is closed after the test if it has not been before. */
export async function startApplication(schemas: Schemas, options: ApplicationOptions = {}) {
  const {
    definition = bake,
    handle = ({ cake }) => `${cake}, baked`,
    engine,
    queue,
    other,
    providers = [],
  } = options;
  @TaskHandler(definition)
  class Baker implements TaskHandler<typeof bake> {
    handle(payload: { cake: string }, context: TaskContext): Promise<string> {
      return Promise.resolve(handle(payload, context)) as Promise<string>;
    }
  }
  @Module({
    imports: [
      BackgroundModule.forRoot({
        engine: postgresEngine({
          ...(engine?.pool === undefined && { connectionString: schemas.url }),
          schema: schemas.name,
          graphile: { schema: schemas.graphile },
          pollInterval: '20ms',
          lease: '2s',
          ...engine,
        }),
        queue: { concurrency: 10, ...queue },
      }),
      ...(other === undefined ? [] : [BackgroundModule.registerQueue(other)]),
    ],
    providers: [Baker, ...providers],
  })
  class App {}
  const app = await NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
  const events: BackgroundEvent[] = [];
  app.get(BackgroundEvents).stream.subscribe((event) => events.push(event));
  const close = closeOnce(app);
  onTestFinished(close, 20_000);
  /** How many tasks have completed here. */
  const completed = (): number => events.filter(({ type }) => type === 'task.completed').length;
  return { app, events, close, completed, queue: app.get(TaskQueue), admin: app.get(BackgroundAdmin) };
}

function closeOnce(app: INestApplicationContext): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => (closing ??= app.close());
}
