import { ContextIdFactory, type ContextId, type ModuleRef } from '@nestjs/core';
import { combineErrors, ScopeDisposedError } from '../errors.js';
import { ServiceScopeFactory, type ScopeToken, type ServiceScope } from '../scopes/scope.js';
import {
  instancesIn,
  isSingleton,
  whenSettled,
  type Provider,
  type ProviderIndex,
} from './provider-index.js';

/** A scope of Nest's container: a context id of its own, and the memory of what was resolved under it. */
export class NestScope implements ServiceScope {
  private id: ContextId | undefined;
  /** What was resolved, in the order in which that was done: what a factory resolves comes before what it makes. */
  private readonly roots = new Set<Provider>();
  private readonly resolving = new Set<Promise<unknown>>();
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
    const resolving = this.providers
      .moduleRefOf(provider)
      .resolve<object>(provider.token as string, this.contextId, { strict: true });
    this.resolving.add(resolving);
    let instance: object;
    try {
      instance = await resolving;
    } finally {
      this.resolving.delete(resolving);
      this.roots.add(provider); // also when it failed: what it depends on may exist
    }
    // Asked for in time but made too late: it is disposed with the rest, and nobody may use it.
    if (this.disposal !== undefined) throw new ScopeDisposedError(String(provider.name));
    return instance;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.disposal ??= this.dispose());
  }

  private async dispose(): Promise<void> {
    while (this.resolving.size > 0) await Promise.allSettled(this.resolving);
    if (this.roots.size === 0) return;
    const providers = new Set([...this.roots].flatMap((root) => this.providers.scopedTreeOf(root)));
    await whenSettled(providers, this.contextId);
    const errors: unknown[] = [];
    for (const instance of this.createdBy(providers).toReversed()) {
      await disposeInstance(instance).catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0)
      throw combineErrors(errors, `${errors.length} instances of a scope failed to dispose.`);
  }

  /** What the scope created, each once, dependencies first. */
  private createdBy(providers: Iterable<Provider>): object[] {
    const instances = new Set<object>();
    for (const provider of providers) {
      for (const instance of instancesIn(provider, this.contextId)) {
        // A factory may hand out what lives longer than the scope.
        if (instance !== this.context && !this.providers.isSingleton(instance)) instances.add(instance);
      }
    }
    return [...instances];
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

/** Prefers the asynchronous form, and never calls both. */
async function disposeInstance(instance: object): Promise<void> {
  const { [Symbol.asyncDispose]: asyncDispose, [Symbol.dispose]: dispose } = instance as Partial<
    AsyncDisposable & Disposable
  >;
  if (typeof asyncDispose === 'function') await asyncDispose.call(instance);
  else if (typeof dispose === 'function') dispose.call(instance);
}

function nameOf(token: ScopeToken): string {
  return typeof token === 'function' ? token.name : String(token);
}
