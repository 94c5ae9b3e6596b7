import assert from 'node:assert/strict';
import type {
  BackgroundEngine,
  TaskContext,
  TaskDefinition,
  TaskDefinitionOptions,
  TaskQueueOptions,
  TaskState,
} from 'nestjs-nightshift';
import type { ContractHandler, EngineApplication } from './engine-application.js';
import type { EngineStore, ResolvedContractSetup } from './contract-setup.js';
import { ContractTime } from './contract-time.js';
import { HeldWork } from './held-work.js';
import { StoppableClock } from './stoppable-clock.js';

/** How an application of a case differs from the usual. */
export interface ApplicationOptions extends TaskQueueOptions {
  /** Whether it runs tasks, or only enqueues. */
  runs?: boolean;
  /** Which definitions it handles. By default all that were made before. */
  handles?: readonly { readonly name: string }[];
  /** Queues beside the default one. */
  queues?: readonly (TaskQueueOptions & { name: string })[];
  /** By default a fifth of a moment. */
  shutdownTimeoutMs?: number;
  /** Another engine than one on the store of the case. */
  onEngine?: BackgroundEngine;
}

interface Actor {
  readonly application: EngineApplication;
  readonly engine: BackgroundEngine;
  readonly clock: StoppableClock;
}

/** Where one case plays: a store, the applications on it, what they do, and the time. */
export class ContractStage {
  readonly time: ContractTime;
  private readonly actors: Actor[] = [];
  private readonly handlers: ContractHandler[] = [];
  private readonly works: HeldWork[] = [];
  private expectsFailures = false;

  private constructor(
    readonly setup: ResolvedContractSetup,
    private readonly store: EngineStore,
    private readonly nightshift: typeof import('nestjs-nightshift'),
    private readonly applications: typeof import('./engine-application.js'),
  ) {
    this.time = new ContractTime(setup);
  }

  /** What needs Nest is loaded here, and not by whoever imports this library for a clock. */
  static async open(setup: ResolvedContractSetup): Promise<ContractStage> {
    const nightshift = await import('nestjs-nightshift');
    const applications = await import('./engine-application.js');
    return new ContractStage(setup, await setup.createStore(), nightshift, applications);
  }

  /** A long time for the engine, in milliseconds. */
  get moment(): number {
    return this.setup.momentMs;
  }

  /** A kind of task, which every application handles that is started from now on. */
  define<P, R>(
    name: string,
    handle: (payload: P, context: TaskContext) => unknown,
    options: TaskDefinitionOptions<P> = {},
  ): TaskDefinition<P, R> {
    const definition = this.nightshift.defineTask<P, R>(name, options);
    // P and R are the compiler's alone: the case has checked them against each other.
    this.handlers.push({ definition, handle } as unknown as ContractHandler);
    return definition;
  }

  /** Tasks that the case brings to their end by name. */
  hold(
    name = 'held',
    { heedsSignal = true, ...options }: TaskDefinitionOptions<string> & { heedsSignal?: boolean } = {},
  ): HeldWork {
    const work: HeldWork = new HeldWork(
      this.define<string, string>(name, (payload, context) => work.handle(payload, context), options),
      heedsSignal,
    );
    this.works.push(work);
    return work;
  }

  async start({
    runs = true,
    handles,
    queues = [],
    shutdownTimeoutMs = this.moment / 5,
    onEngine,
    ...queue
  }: ApplicationOptions = {}): Promise<EngineApplication> {
    const engine = onEngine ?? this.store.createEngine();
    const clock = new StoppableClock(this.time.clock);
    const handlers = this.handlers.filter(
      ({ definition }) => handles === undefined || handles.some(({ name }) => name === definition.name),
    );
    const application = await this.applications.EngineApplication.start({
      engine,
      clock,
      handlers,
      queue,
      queues,
      runs,
      shutdownTimeoutMs,
    });
    this.actors.push({ application, engine, clock });
    return application;
  }

  createEngine(): BackgroundEngine {
    return this.store.createEngine();
  }

  async close(application: EngineApplication): Promise<void> {
    await this.time.settled(application.close(), 'the application closes');
  }

  /** Its process is killed, as far as that can be shown inside this one. */
  async crash(application: EngineApplication): Promise<void> {
    const { clock, engine } = this.actors.find((actor) => actor.application === application)!;
    clock.stop();
    await this.store.crash?.(engine);
  }

  /** That engines report failures of their own is part of the case. */
  expectFailures(): void {
    this.expectsFailures = true;
  }

  /** Waits until tasks of this work have begun, in this order. */
  async begun(work: HeldWork, ...names: string[]): Promise<void> {
    await this.time.until(
      `these tasks have begun, in order: ${names.join(', ')} (begun: ${work.began.join(', ') || 'none'})`,
      () => work.began.length >= names.length,
    );
    assert.deepEqual(work.began, names);
  }

  /** Waits until a task is in a state. */
  async inState(handle: { state(): Promise<TaskState> }, state: TaskState): Promise<void> {
    await this.time.until(`a task is ${state}`, async () => (await handle.state()) === state);
  }

  /** What a promise rejects with: an error with this code. */
  async rejection(
    promise: Promise<unknown>,
    code: string,
  ): Promise<Error & { readonly code?: string } & Record<string, unknown>> {
    const outcome = await this.time.settled(
      promise.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
      `it rejects with ${code}`,
    );
    if (!('error' in outcome))
      assert.fail(`It should reject with ${code}, but gave ${String(outcome.value)}.`);
    const error = outcome.error as Error & { readonly code?: string } & Record<string, unknown>;
    assert.equal(error?.code, code, `It should reject with ${code}, but with: ${String(error)}`);
    return error;
  }

  /** Closes what is open. After a failure, what goes wrong here adds nothing. */
  async finish(hasFailed: boolean): Promise<void> {
    try {
      for (const work of this.works) work.finishAll();
      await this.time.settled(
        Promise.all(this.actors.map(({ application }) => application.close())),
        'all applications close',
      );
      if (!hasFailed) this.expectCleanEnd();
    } catch (error) {
      if (!hasFailed) throw error;
    } finally {
      for (const { clock } of this.actors) clock.stop();
      await this.store.remove?.();
    }
  }

  private expectCleanEnd(): void {
    assert.equal(this.time.armedTimers, 0, 'No timer may be armed when all applications are closed.');
    for (const { application } of this.actors) {
      const failures = application.events.filter(
        ({ type }) => type === 'listener.failed' || (type === 'engine.failed' && !this.expectsFailures),
      );
      assert.deepEqual(failures, [], 'No engine may fail by itself.');
    }
  }
}
