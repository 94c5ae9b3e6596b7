import { randomUUID } from 'node:crypto';
import type { TickContext } from '../scopes/context.js';
import type { ServiceScope, ServiceScopeFactory } from '../scopes/scope.js';

/** The context of one tick. Makes its id and its scope when they are first asked for. */
export class Tick implements TickContext {
  private tickId: string | undefined;
  private tickScope: ServiceScope | undefined;

  constructor(
    readonly service: string,
    readonly scheduledAt: Date,
    readonly startedAt: Date,
    readonly count: number,
    readonly missed: number,
    readonly signal: AbortSignal,
    private readonly scopes: ServiceScopeFactory,
  ) {}

  get id(): string {
    return (this.tickId ??= randomUUID());
  }

  get scope(): ServiceScope {
    return (this.tickScope ??= this.scopes.createScope(this));
  }

  /** The scope, if one was made. */
  get openedScope(): ServiceScope | undefined {
    return this.tickScope;
  }
}
