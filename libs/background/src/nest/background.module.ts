// Long by its list of providers; what they are and do is in files of their own.
import {
  ConfigurableModuleBuilder,
  Global,
  Inject,
  Logger,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import type { ClockTimer } from 'nestjs-nightshift/channels';
import { BackgroundAdmin } from '../admin/background-admin.js';
import { DuplicateNameError, ModuleNotRegisteredError } from '../errors.js';
import { BackgroundEvents } from '../events/background-events.js';
import { logEvents } from '../events/event-log.js';
import { BackgroundHost } from '../hosting/host.js';
import { ApplicationLifetime } from '../hosting/lifetime.js';
import { composeObject, type ServiceDependencies } from '../scheduling/service-composition.js';
import { ServiceScopeFactory } from '../scopes/scope.js';
import { QueueRegistry } from '../tasks/queue-registry.js';
import { DurableTaskQueue } from '../tasks/durable-task-queue.js';
import { TaskQueue } from '../tasks/task-queue.js';
import {
  resolveQueueOptions,
  type ResolvedQueueOptions,
  type TaskQueueOptions,
} from '../tasks/queue.options.js';
import { ApplicationCloser } from './application-closer.js';
import {
  resolveBackgroundOptions,
  type BackgroundModuleOptions,
  type ResolvedBackgroundOptions,
} from './background.options.js';
import { getTaskQueueToken } from './decorators.js';
import { ServiceDiscovery } from './discovery.js';
import { warnOfExclusiveAlone } from './exclusive-alone.js';
import { discoverTaskHandlers } from './handler-discovery.js';
import { HookOrderModule, HookOrderWitness, placeOutermost } from './hook-order.js';
import { backgroundServiceOptionsOf } from './metadata.js';
import { moduleWarnings } from './module-warnings.js';
import { NestScopeFactory } from './nest-scope.js';
import { expectOneLifetime } from './one-lifetime.js';
import { ProviderIndex } from './provider-index.js';
import { handlersMayComeWithinMs, isNotListening, nobodyHandlesSignals } from './shutdown-hooks.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<BackgroundModuleOptions>({
    moduleName: 'Background',
  })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createBackgroundOptions')
    .build();

/** How long others may take to close before a line says what the stop is waiting for. */
const heldUpAfterMs = 2_000;

const RESOLVED_OPTIONS = Symbol('resolved background options');
const SERVICE_DEPENDENCIES = Symbol('service dependencies');

const providers: Provider[] = [
  {
    provide: RESOLVED_OPTIONS,
    inject: [MODULE_OPTIONS_TOKEN],
    useFactory: (options: BackgroundModuleOptions) => resolveBackgroundOptions(options),
  },
  ApplicationLifetime,
  {
    provide: BackgroundEvents,
    inject: [RESOLVED_OPTIONS],
    useFactory: ({ hosting }: ResolvedBackgroundOptions) => new BackgroundEvents(hosting.clock),
  },
  {
    provide: ServiceScopeFactory,
    inject: [ModulesContainer, ModuleRef],
    useFactory: (modules: ModulesContainer, moduleRef: ModuleRef) =>
      new NestScopeFactory(new ProviderIndex(modules), moduleRef),
  },
  {
    provide: SERVICE_DEPENDENCIES,
    inject: [RESOLVED_OPTIONS, BackgroundEvents, ServiceScopeFactory],
    useFactory: (
      { hosting, engine }: ResolvedBackgroundOptions,
      events: BackgroundEvents,
      scopes: ServiceScopeFactory,
    ) => {
      const { clock, wrap, exceptionBehavior } = hosting;
      const occurrences = engine?.occurrences;
      return { clock, wrap, exceptionBehavior, events, scopes, occurrences } satisfies ServiceDependencies;
    },
  },
  {
    provide: QueueRegistry,
    inject: [SERVICE_DEPENDENCIES, RESOLVED_OPTIONS],
    useFactory: (dependencies: ServiceDependencies, { hosting, engine }: ResolvedBackgroundOptions) =>
      new QueueRegistry({ ...dependencies, shutdownTimeoutMs: hosting.shutdownTimeoutMs, engine }),
  },
  {
    provide: TaskQueue,
    inject: [QueueRegistry, RESOLVED_OPTIONS],
    useFactory: (queues: QueueRegistry, { queue }: ResolvedBackgroundOptions) => queues.openAndCreate(queue),
  },
  { provide: DurableTaskQueue, useExisting: TaskQueue },
  {
    provide: BackgroundHost,
    inject: [RESOLVED_OPTIONS, BackgroundEvents, ApplicationLifetime, SERVICE_DEPENDENCIES],
    useFactory: (
      { hosting }: ResolvedBackgroundOptions,
      events: BackgroundEvents,
      lifetime: ApplicationLifetime,
      dependencies: ServiceDependencies,
    ) => {
      const compose = (service: unknown, options: unknown) =>
        composeObject(service, { ...optionsOfClass(service), ...definedIn(options) }, dependencies);
      return new BackgroundHost({ options: hosting, events, lifetime, compose });
    },
  },
  {
    provide: ApplicationCloser,
    inject: [BackgroundHost, ApplicationLifetime, BackgroundEvents],
    useFactory: (host: BackgroundHost, lifetime: ApplicationLifetime, events: BackgroundEvents) =>
      new ApplicationCloser(host, lifetime, events),
  },
  {
    provide: BackgroundAdmin,
    inject: [BackgroundHost, ApplicationLifetime, QueueRegistry],
    useFactory: (host: BackgroundHost, lifetime: ApplicationLifetime, queues: QueueRegistry) =>
      new BackgroundAdmin(host, lifetime, queues),
  },
];

/**
 * Background work for a Nest application. Import it once, in the root module; it is global.
 *
 * Services start when every other module has bootstrapped, and are told to stop before any other module is torn down.
 */
@Global()
@Module({
  imports: [HookOrderModule],
  providers,
  exports: [
    ApplicationLifetime,
    BackgroundAdmin,
    BackgroundEvents,
    BackgroundHost,
    DurableTaskQueue,
    QueueRegistry,
    ServiceScopeFactory,
    TaskQueue,
  ],
})
export class BackgroundModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  private hooksCheck: NodeJS.Timeout | undefined;
  private heldUpCheck: ClockTimer | undefined;

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedBackgroundOptions,
    @Inject(SERVICE_DEPENDENCIES) private readonly dependencies: ServiceDependencies,
    private readonly modules: ModulesContainer,
    private readonly host: BackgroundHost,
    private readonly lifetime: ApplicationLifetime,
    private readonly events: BackgroundEvents,
    private readonly queues: QueueRegistry,
    private readonly closer: ApplicationCloser,
    private readonly witness: HookOrderWitness,
    private readonly adapterHost: HttpAdapterHost,
  ) {
    super();
    placeOutermost(modules, BackgroundModule);
    expectOneLifetime(modules, BackgroundModule);
    logEvents(events, new Logger('Nightshift'));
    warnOfExclusiveAlone(host, events, dependencies);
  }

  /**
   * @throws InvalidOptionsError listing everything that is wrong with the options
   */
  static override forRoot(options: BackgroundModuleOptions = {}): DynamicModule {
    resolveBackgroundOptions(options); // fails here, where the mistake is, and not while Nest instantiates
    const dynamic = super.forRoot(options);
    const queueName = options.queue?.name;
    if (queueName === undefined || getTaskQueueToken(queueName) === TaskQueue) return dynamic;
    const alias: Provider = { provide: getTaskQueueToken(queueName), useExisting: TaskQueue };
    return { ...dynamic, providers: [...(dynamic.providers ?? []), alias], exports: [alias.provide] };
  }

  /**
   * Adds queues beside the default one, each injected with `@InjectTaskQueue(name)` anywhere in the application.
   *
   * @throws InvalidOptionsError, DuplicateNameError
   */
  static registerQueue(...queues: readonly (TaskQueueOptions & { name: string })[]): DynamicModule {
    const resolved = queues.map((queue, index) => resolveQueueOptions(queue, `registerQueue[${index}]`));
    for (const [index, { name }] of resolved.entries()) {
      // Two providers of one token in one module: Nest would quietly keep the second.
      if (resolved.findIndex((other) => other.name === name) < index)
        throw new DuplicateNameError('queue', name);
    }
    return {
      module: BackgroundQueuesModule,
      global: true,
      providers: resolved.map(toQueueProvider),
      exports: resolved.map(({ name }) => getTaskQueueToken(name)),
    };
  }

  onModuleInit(): void {
    for (const worker of this.queues.workers) this.host.add(worker);
    const discovery = new ServiceDiscovery(this.modules, this.dependencies, this.events);
    for (const definition of discovery.discover()) this.host.add(definition);
    discoverTaskHandlers(this.modules, this.events, this.queues);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.witness.hasSeenBootstrap) this.warn('HOOK_ORDER', moduleWarnings.HOOK_ORDER);
    await this.host.start();
    this.warnOfIdleQueues();
    this.hooksCheck = setTimeout(() => this.checkShutdownHooks(), handlersMayComeWithinMs).unref();
  }

  /** Never rejects: Nest 11 would skip the teardown of everything else. */
  async onModuleDestroy(): Promise<void> {
    this.closer.noteClosing();
    clearTimeout(this.hooksCheck);
    await this.host.signalStopping();
    if (this.options.hosting.drainOn === 'onModuleDestroy') return this.stopHost();
    const { clock } = this.options.hosting;
    this.heldUpCheck = clock.schedule(heldUpAfterMs, () =>
      this.warn('STOP_HELD_UP', moduleWarnings.STOP_HELD_UP),
    );
  }

  /** Never rejects: Nest 11 would skip the teardown of everything else. */
  async onApplicationShutdown(): Promise<void> {
    this.heldUpCheck?.cancel();
    await this.stopHost();
  }

  private async stopHost(): Promise<void> {
    await this.host.stop().catch(() => {}); // every failure in it is an event; runUntilStopped() rejects with the faults
    await this.queues.close();
  }

  private warnOfIdleQueues(): void {
    const idle = this.host.services.filter(
      ({ name, kind, state }) => kind === 'queue' && state === 'disabled' && !this.queues.isDurable(name),
    );
    if (idle.length === 0) return;
    const names = idle.map(({ name }) => name).join(', ');
    this.warn('QUEUE_NOT_RUN', `Not enabled in this process: ${names}. ${moduleWarnings.QUEUE_NOT_RUN}`);
  }

  private checkShutdownHooks(): void {
    if (this.lifetime.stopping.aborted || !nobodyHandlesSignals() || isNotListening(this.adapterHost)) return;
    this.warn('SHUTDOWN_HOOKS_OFF', moduleWarnings.SHUTDOWN_HOOKS_OFF);
  }

  private warn(code: string, message: string): void {
    this.events.emit('host.warning', { code, message });
  }
}

/** Holds the queues of one `registerQueue()`. */
@Module({})
class BackgroundQueuesModule {}

function toQueueProvider(options: ResolvedQueueOptions): Provider {
  return {
    provide: getTaskQueueToken(options.name),
    // The default queue is the first, however long the engines take to open.
    inject: [
      { token: QueueRegistry, optional: true },
      { token: TaskQueue, optional: true },
    ],
    useFactory: (queues: QueueRegistry | undefined) => {
      if (queues === undefined) throw new ModuleNotRegisteredError('BackgroundModule.registerQueue()');
      return queues.openAndCreate(options);
    },
  };
}

/** What is `undefined` is left out, so that it does not hide what the class says. */
function definedIn(options: unknown): object {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined));
}

function optionsOfClass(service: unknown): object {
  const type = (service as object | null | undefined)?.constructor;
  return type === undefined ? {} : (backgroundServiceOptionsOf(type) ?? {});
}
