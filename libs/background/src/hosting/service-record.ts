import type { Clock } from 'nestjs-nightshift/channels';
import { IllegalStateError } from '../errors.js';
import type { BackgroundEvents } from '../events/background-events.js';
import type { ServiceKind } from '../events/events.js';
import type { ExceptionBehavior } from './hosting.options.js';
import type { ServiceRunner, TickRecord } from './service-runner.js';
import { serviceTransitions, type ServiceState } from './service-state.js';

/** One service as the host is given it. */
export interface ServiceDefinition {
  readonly name: string;
  readonly runner: ServiceRunner;
  readonly exceptionBehavior: ExceptionBehavior;
  readonly enabled: boolean;
  /** The class that the service is asked for by, when there is one. */
  readonly token?: unknown;
}

/** What a supervisor needs of its host. */
export interface SupervisorHost {
  readonly events: BackgroundEvents;
  readonly clock: Clock;
  readonly shutdownTimeoutMs: number;
  /** Aborted when stopping has been asked for. */
  readonly stopping: AbortSignal;
  /** Whether services may run now: the host has started and is not stopping. */
  readonly isOpen: boolean;
  /** A service failed for good. */
  onFault(service: string, error: unknown, consequence: ExceptionBehavior): void;
}

/** What is known of one service, and the one place where its state changes. */
export abstract class ServiceRecord {
  private current: ServiceState = 'idle';
  protected error: unknown;
  protected restartCount = 0;
  protected startInstant: Date | undefined;

  constructor(
    readonly definition: ServiceDefinition,
    protected readonly host: SupervisorHost,
  ) {
    if (!definition.enabled) this.enter('disabled');
  }

  get name(): string {
    return this.definition.name;
  }

  get kind(): ServiceKind {
    return this.runner.kind;
  }

  get state(): ServiceState {
    return this.current;
  }

  get lastError(): unknown {
    return this.error === undefined ? this.runner.ticks?.lastError : this.error;
  }

  get restarts(): number {
    return this.restartCount;
  }

  get startedAt(): Date | undefined {
    return this.startInstant;
  }

  get schedule(): string | undefined {
    return this.runner.ticks?.schedule;
  }

  get exclusive(): boolean {
    return this.runner.ticks?.exclusive ?? false;
  }

  get lastTick(): TickRecord | undefined {
    return this.runner.ticks?.lastTick;
  }

  get nextTickAt(): Date | undefined {
    return this.runner.ticks?.nextTickAt;
  }

  /** Whether it works, waits to work again, or finishes what it holds. */
  get isRunning(): boolean {
    return ['running', 'paused', 'restarting', 'stopping'].includes(this.current);
  }

  protected get runner(): ServiceRunner {
    return this.definition.runner;
  }

  /** What every event about this service carries. */
  protected get label(): { service: string; kind: ServiceKind } {
    return { service: this.name, kind: this.kind };
  }

  protected enter(next: ServiceState): void {
    if (!serviceTransitions[this.current].includes(next)) {
      throw new IllegalStateError(`service '${this.name}'`, this.current, `Becoming ${next}`);
    }
    this.current = next;
  }
}
