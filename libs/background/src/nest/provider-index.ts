import { Scope } from '@nestjs/common';
import { ModuleRef, type ContextId, type ModulesContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { ScopeToken } from '../scopes/scope.js';

/** A provider as Nest keeps it. The one internal type of Nest that this library reads. */
export type Provider = InstanceWrapper<object>;

/** Finds providers in Nest's container, and what they are made of. Remembers what it found. */
export class ProviderIndex {
  private readonly byToken = new Map<ScopeToken, Provider>();
  private readonly scopedTrees = new WeakMap<Provider, readonly Provider[]>();
  private singletons = new WeakSet<object>();
  private modulesSearched = 0;

  constructor(private readonly modules: ModulesContainer) {}

  /** The provider of a token, wherever it is; the last one when several modules provide it, as for Nest itself. */
  find(token: ScopeToken): Provider | undefined {
    const known = this.byToken.get(token);
    if (known !== undefined) return known;
    let found: Provider | undefined;
    for (const module of this.modules.values())
      found = (module.providers.get(token) as Provider | undefined) ?? found;
    if (found !== undefined) this.byToken.set(token, found);
    return found;
  }

  /** The `ModuleRef` of the module that a provider belongs to. */
  moduleRefOf(provider: Provider): ModuleRef {
    return provider.host!.providers.get(ModuleRef)!.instance as ModuleRef;
  }

  /** What a provider and its dependencies create for each scope, dependencies first. */
  scopedTreeOf(provider: Provider): readonly Provider[] {
    const known = this.scopedTrees.get(provider);
    if (known !== undefined) return known;
    const tree: Provider[] = [];
    this.collectScoped(provider, new Set(), tree);
    this.scopedTrees.set(provider, tree);
    return tree;
  }

  /** Whether this is the one instance of some provider of the application. */
  isSingleton(instance: object): boolean {
    if (this.modulesSearched !== this.modules.size) this.collectSingletons(); // at first, and after lazy loading
    return this.singletons.has(instance);
  }

  private collectSingletons(): void {
    this.modulesSearched = this.modules.size;
    this.singletons = new WeakSet();
    for (const module of this.modules.values()) {
      for (const provider of module.providers.values() as IterableIterator<Provider>) {
        if (provider.isDependencyTreeStatic() && isObject(provider.instance))
          this.singletons.add(provider.instance);
      }
    }
  }

  private collectScoped(provider: Provider, seen: Set<Provider>, tree: Provider[]): void {
    if (seen.has(provider)) return;
    seen.add(provider);
    if (isSingleton(provider)) return;
    for (const dependency of dependenciesOf(provider)) this.collectScoped(dependency, seen, tree);
    if (!provider.isDependencyTreeDurable()) tree.push(provider);
  }
}

/** Whether there is one instance for the whole application. */
export function isSingleton(provider: Provider): boolean {
  return !provider.isTransient && provider.isDependencyTreeStatic();
}

/** Resolves when nothing of these providers is being created in a scope any more, whether that succeeds or fails. */
export async function whenSettled(providers: Iterable<Provider>, contextId: ContextId): Promise<void> {
  const creations: unknown[] = [];
  for (const provider of providers) {
    for (const { isPending, donePromise } of provider.getExistingInstancesByContextId(contextId)) {
      if (isPending) creations.push(donePromise);
    }
  }
  if (creations.length > 0) await Promise.allSettled(creations);
}

/** The instances of a provider that exist in a scope and were made by Nest, not handed in. */
export function instancesIn(provider: Provider, contextId: ContextId): readonly object[] {
  return provider
    .getExistingInstancesByContextId(contextId)
    .filter(({ isResolved, isConstructorCalled }) => isResolved && isConstructorCalled)
    .map(({ instance }) => instance)
    .filter(isObject); // a factory may make anything
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** From a provider down to the first request-scoped one among its dependencies, by name; `undefined` if there is none. */
export function pathToRequestScope(
  provider: Provider,
  seen = new Set<Provider>(),
): readonly string[] | undefined {
  if (seen.has(provider)) return undefined;
  seen.add(provider);
  const name = String(provider.name);
  if (provider.scope === Scope.REQUEST) return [name];
  for (const dependency of dependenciesOf(provider)) {
    const path = pathToRequestScope(dependency, seen);
    if (path !== undefined) return [name, ...path];
  }
  return undefined;
}

function dependenciesOf(provider: Provider): readonly Provider[] {
  const ofConstructor = (provider.getCtorMetadata() ?? []) as Provider[];
  const ofProperties = (provider.getPropertiesMetadata() ?? []).map(({ wrapper }) => wrapper as Provider);
  return [...ofConstructor, ...ofProperties].filter((dependency) => dependency !== undefined);
}
