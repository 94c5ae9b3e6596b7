import { ContextIdFactory, type ContextId, type ModuleRef } from '@nestjs/core';
import { combineErrors, ScopeDisposedError } from '../errors.js';
import { ServiceScopeFactory, type ScopeToken, type ServiceScope } from '../scopes/scope.js';
import { createdIn, isSingleton, type Provider, type ProviderIndex } from './provider-index.js';

/** A scope of Nest's container: a context id of its own, and the memory of what was resolved under it. */
export class NestScope implements ServiceScope {
  private id: ContextId | undefined;
  /** What was resolved, in the order in which that was done: what a factory resolves comes before what it makes. */
  private readonly roots: Provider[] = [];
  private resolving = 0;
  private onResolved: (() => void) | undefined;
  private disposal: Promise<void> | undefined;

  /**
   * @param moduleRef any of the container's, to look further than this library does
   * @param context what `REQUEST` gives in the scope
   */
  constructor(
    private readonly providers: ProviderIndex,
    private readonly moduleRef: ModuleRef,
    private readonly context: object | undefined,
  ) {}

  get contextId(): ContextId {
    if (this.id === undefined) {
      this.id = ContextIdFactory.create();
      this.moduleRef.registerRequestByContextId(this.context ?? {}, this.id);
    }
    return this.id;
  }

  resolve<T>(token: ScopeToken<T>): Promise<T> {
    const provider = this.providers.find(token);
    if (provider !== undefined) return this.resolveProvider(provider) as Promise<T>;
    if (this.disposal !== undefined) return Promise.reject(new ScopeDisposedError(nameOf(token)));
    return this.moduleRef.resolve<T>(token as string, this.contextId, { strict: false }); // rejects in Nest's own words
  }

  /** The instance of one particular provider, when several share its token. */
  async resolveProvider(provider: Provider): Promise<object> {
    if (this.disposal !== undefined) throw new ScopeDisposedError(String(provider.name));
    if (isSingleton(provider))
      return this.providers.moduleRefOf(provider).get<object>(provider.token as string, { strict: true });
    this.resolving += 1;
    let instance: object;
    try {
      const moduleRef = this.providers.moduleRefOf(provider);
      instance = await moduleRef.resolve<object>(provider.token as string, this.contextId, { strict: true });
    } finally {
      this.resolving -= 1;
      this.onResolved?.();
      if (!this.roots.includes(provider)) this.roots.push(provider); // also when it failed: what it needs may exist
    }
    // Asked for in time but made too late: it is disposed with the rest, and nobody may use it.
    if (this.disposal !== undefined) throw new ScopeDisposedError(String(provider.name));
    return instance;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.disposal ??= this.dispose());
  }

  private async dispose(): Promise<void> {
    while (this.resolving > 0) await new Promise<void>((resolve) => (this.onResolved = resolve));
    if (this.roots.length === 0) return;
    const providers = this.providers.scopedTreeOf(this.roots);
    let { instances, pending } = createdIn(this.contextId, providers);
    if (pending.length > 0) {
      await Promise.allSettled(pending);
      ({ instances } = createdIn(this.contextId, providers));
    }
    const errors: unknown[] = [];
    for (let i = instances.length - 1; i >= 0; i -= 1) {
      const instance = instances[i]!;
      try {
        const end = disposalOf(instance);
        if (end !== undefined && this.owns(instance) && instances.indexOf(instance) === i)
          await end.call(instance);
      } catch (error) {
        errors.push(error);
      }
    }
    // Nest keeps what belongs to an id in tables that hold it weakly. The context is in there too and holds this scope:
    // a circle that only a full garbage collection finds, unless it is opened here.
    this.id = { id: this.contextId.id };
    if (errors.length > 0)
      throw combineErrors(errors, `${errors.length} instances of a scope failed to dispose.`);
  }

  /** Whether it lives no longer than the scope: a factory may hand out what does. */
  private owns(instance: object): boolean {
    return instance !== this.context && !this.providers.isSingleton(instance);
  }
}

export class NestScopeFactory extends ServiceScopeFactory {
  constructor(
    private readonly providers: ProviderIndex,
    private readonly moduleRef: ModuleRef,
  ) {
    super();
  }

  createScope(context?: object): NestScope {
    return new NestScope(this.providers, this.moduleRef, context);
  }
}

/** Its method of disposal: the asynchronous form if it has one, and never both. */
function disposalOf(instance: object): (() => unknown) | undefined {
  const { [Symbol.asyncDispose]: asyncDispose, [Symbol.dispose]: dispose } = instance as Partial<
    AsyncDisposable & Disposable
  >;
  const disposal = typeof asyncDispose === 'function' ? asyncDispose : dispose;
  return typeof disposal === 'function' ? disposal : undefined;
}

function nameOf(token: ScopeToken): string {
  return typeof token === 'function' ? token.name : String(token);
}
