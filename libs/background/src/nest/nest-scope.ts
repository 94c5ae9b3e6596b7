import { ContextIdFactory, type ContextId, type ModuleRef } from '@nestjs/core';
import { combineErrors, ScopeDisposedError } from '../errors.js';
import { ServiceScopeFactory, type ScopeToken, type ServiceScope } from '../scopes/scope.js';
import { instancesIn, type Provider, type ProviderIndex } from './provider-index.js';

/** A scope of Nest's container: a context id of its own, and the memory of what was resolved under it. */
export class NestScope implements ServiceScope {
  private id: ContextId | undefined;
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
    const tree = this.providers.scopedTreeOf(provider);
    if (tree.length === 0)
      return this.providers.moduleRefOf(provider).get<object>(provider.token as string, { strict: true });
    this.roots.add(provider);
    const resolving = this.providers
      .moduleRefOf(provider)
      .resolve<object>(provider.token as string, this.contextId, { strict: true });
    this.resolving.add(resolving);
    try {
      return await resolving;
    } finally {
      this.resolving.delete(resolving);
      // Asked for in time but made too late: it is disposed with the rest, and nobody may use it.
      // oxlint-disable-next-line no-unsafe-finally -- the disposal decides, whatever the resolution came to
      if (this.disposal !== undefined) throw new ScopeDisposedError(String(provider.name));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.disposal ??= this.dispose());
  }

  private async dispose(): Promise<void> {
    if (this.roots.size === 0) return;
    await Promise.allSettled(this.resolving);
    const errors: unknown[] = [];
    for (const instance of this.createdInstances().reverse()) {
      await disposeInstance(instance).catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0)
      throw combineErrors(errors, `${errors.length} instances of a scope failed to dispose.`);
  }

  /** What the scope created, each once, dependencies first. */
  private createdInstances(): object[] {
    const instances = new Set<object>();
    for (const root of this.roots) {
      for (const provider of this.providers.scopedTreeOf(root)) {
        for (const instance of instancesIn(provider, this.contextId)) instances.add(instance);
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
