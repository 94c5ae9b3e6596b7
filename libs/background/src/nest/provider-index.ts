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

  /** What some providers and their dependencies create for each scope, dependencies first. */
  scopedTreeOf(roots: readonly Provider[]): readonly Provider[] {
    if (roots.length > 1) return [...new Set(roots.flatMap((root) => this.scopedTreeOf([root])))];
    const [root] = roots;
    const known = this.scopedTrees.get(root!);
    if (known !== undefined) return known;
    const tree: Provider[] = [];
    this.collectScoped(root!, new Set(), tree);
    this.scopedTrees.set(root!, tree);
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

/** What Nest has created in a scope, and what it is creating. */
export interface Creations {
  /** In the order of the providers. Not what Nest was handed in. */
  readonly instances: object[];
  /** Settle when the instance they belong to is there, or has failed. */
  readonly pending: unknown[];
}

export function createdIn(contextId: ContextId, providers: readonly Provider[]): Creations {
  const creations: Creations = { instances: [], pending: [] };
  for (const provider of providers) {
    for (const host of provider.getExistingInstancesByContextId(contextId)) {
      const { instance, isPending, isResolved, isConstructorCalled, donePromise } = host;
      const isMade = isResolved && isConstructorCalled;
      if (isMade && isObject(instance)) creations.instances.push(instance); // a factory may make anything
      if (!isMade && isPending) creations.pending.push(donePromise);
    }
  }
  return creations;
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
