import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { root } from '../houses.js';
import { Consumer } from './consumer.js';

const strict = {
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  noImplicitOverride: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  skipLibCheck: false,
  noEmit: true,
};

/** The ways in which an application may be compiled. A bundler's is that of Vite, esbuild and the like. */
const projects = [
  { how: 'ES modules', file: 'app.mts', options: { module: 'nodenext' } },
  { how: 'CommonJS', file: 'app.cts', options: { module: 'nodenext', verbatimModuleSyntax: false } },
  { how: 'a bundler', file: 'app.ts', options: { module: 'esnext', moduleResolution: 'bundler' } },
];

/** An application that uses most of the package, forwarding values that may be undefined. */
const application = `
import 'reflect-metadata';
import { Injectable, Module, Scope } from '@nestjs/common';
import {
  BackgroundEvents, BackgroundHost, BackgroundModule, BackgroundService, HostedService, InjectBackgroundContext,
  InjectTaskQueue, ServiceScopeFactory, TaskHandler, TaskQueue, defineTask, runUntilStopped,
  type BackgroundEvent, type PayloadOf, type ServiceHandle, type TaskContext, type TaskHandle, type TickContext,
} from 'nestjs-nightshift';
import { createBoundedChannel, exponential, PeriodicTimer, type Channel } from 'nestjs-nightshift/channels';
import { ManualClock } from 'nestjs-nightshift/testing';
import { z } from 'zod';

interface Settings { readonly timeout?: string; readonly every?: string }
declare const settings: Settings;

@Injectable({ scope: Scope.REQUEST })
export class UnitOfWork implements AsyncDisposable {
  constructor(@InjectBackgroundContext() readonly context: TickContext | TaskContext) {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

@BackgroundService()
export class Stirrer implements BackgroundService {
  async execute(stoppingToken: AbortSignal): Promise<void> {
    using timer = new PeriodicTimer('10s');
    while (await timer.waitForNextTick({ signal: stoppingToken })) { /* stir */ }
  }
}

@BackgroundService({ every: '30m', overlap: 'queue', timeout: settings.timeout })
export class Cleanup implements BackgroundService {
  constructor(readonly work: UnitOfWork) {}
  async execute(stoppingToken: AbortSignal, tick: TickContext): Promise<void> {
    stoppingToken.throwIfAborted();
    await tick.scope.resolve(UnitOfWork);
  }
}

@HostedService({ name: undefined })
export class Server implements HostedService {
  async start(signal: AbortSignal): Promise<void> { signal.throwIfAborted(); }
  async stop(): Promise<void> {}
}

const remind = defineTask('remind', {
  payload: z.object({ at: z.iso.datetime().transform((text) => new Date(text)) }),
  timeout: settings.timeout,
}).returns<number>();

@TaskHandler(remind)
export class Reminder implements TaskHandler<typeof remind> {
  constructor(readonly work: UnitOfWork) {}
  async handle({ at }: PayloadOf<typeof remind>, context: TaskContext) {
    return at.getTime() > 0 ? at.getTime() : context.discard('too long ago');
  }
}

@Module({
  imports: [
    BackgroundModule.forRoot({ shutdownTimeout: settings.timeout, clock: new ManualClock(), enabled: ({ kind }) => kind !== 'queue' }),
    BackgroundModule.registerQueue({ name: 'mail', capacity: 10 }),
  ],
  providers: [UnitOfWork, Stirrer, Cleanup, Server, Reminder],
})
export class AppModule {
  constructor(
    readonly queue: TaskQueue,
    @InjectTaskQueue('mail') readonly mail: TaskQueue,
    readonly scopes: ServiceScopeFactory,
    readonly events: BackgroundEvents,
    readonly host: BackgroundHost,
  ) {}

  async use(): Promise<number> {
    const handle: TaskHandle<number> = await this.queue.enqueue(async ({ signal }) => (signal.aborted ? 1 : 2));
    const maybe = this.mail.tryEnqueue(() => 'sent');
    const reminded: TaskHandle<number> = await this.queue.enqueue(remind, { at: '2026-01-01T00:00:00Z' }, { delay: settings.every });
    await reminded.cancel();
    this.events.on('task.failed', ({ error, name }) => console.error(name, error));
    this.events.stream.subscribe((event: BackgroundEvent) => console.log(event.type));
    const service: ServiceHandle = this.host.service(Cleanup);
    service.reschedule({ every: settings.every, cron: undefined });
    await this.scopes.run(async (scope) => (await scope.resolve(UnitOfWork)).context);
    const channel: Channel<{ readonly id: number }> = createBoundedChannel({ capacity: 1, fullMode: undefined });
    for await (const { id } of channel.reader) return id;
    exponential({ initial: '1s', max: settings.timeout });
    // @ts-expect-error: proof that these types are not any
    const wrong: string = await handle.result();
    return (await maybe?.result())?.length ?? wrong.length;
  }
}

export const running: typeof runUntilStopped = runUntilStopped;
`;

const tarball = inject('tarball');

describe('the types of the package', () => {
  it.each(projects)(
    'compile for an application under every strict option when it is $how',
    async ({ file, options }) => {
      const needed = [
        '@nestjs/common',
        '@nestjs/core',
        '@standard-schema/spec',
        'reflect-metadata',
        'rxjs',
        'cron',
        'luxon',
        'zod',
      ];
      await using consumer = await Consumer.install(tarball, [...needed, '@types/node', 'undici-types']);
      await consumer.write('package.json', JSON.stringify({ type: 'module' }));
      await consumer.write(file, application);
      const compilerOptions = { ...strict, ...options };
      await consumer.write('tsconfig.json', JSON.stringify({ compilerOptions, include: [file] }));
      const ran = await consumer.node(join(root, 'node_modules/typescript/bin/tsc'), '-p', '.');
      expect(ran).toEqual({ code: 0, stdout: '', stderr: '' });
    },
  );
});
