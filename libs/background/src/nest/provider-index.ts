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

  private collectScoped(provider: Provider, seen: Set<Provider>, tree: Provider[]): void {
    if (seen.has(provider)) return;
    seen.add(provider);
    for (const dependency of dependenciesOf(provider)) this.collectScoped(dependency, seen, tree);
    const isPerScope = provider.isTransient || !provider.isDependencyTreeStatic();
    if (isPerScope && !provider.isDependencyTreeDurable()) tree.push(provider);
  }
}

/** The instances of a provider that exist in a scope and were made by Nest, not handed in. */
export function instancesIn(provider: Provider, contextId: ContextId): readonly object[] {
  return provider
    .getExistingInstancesByContextId(contextId)
    .filter(({ isResolved, isConstructorCalled }) => isResolved && isConstructorCalled)
    .map(({ instance }) => instance);
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
