import type { ModulesContainer } from '@nestjs/core';
import type { BackgroundEvents } from '../events/background-events.js';
import { isSingleton, type Provider } from './provider-index.js';

export type ProviderClass = new (...args: never[]) => object;

/**
 * The providers whose class is decorated, one for each class, in the order in which Nest initialises: modules that others
 * import come first, within a module its `providers`. A class that is provided twice counts once, with a warning.
 *
 * @param alternative what to do when several of one class are meant, as a sentence
 */
export function findDecorated(
  modules: ModulesContainer,
  events: BackgroundEvents,
  isDecorated: (type: ProviderClass) => boolean,
  alternative = '',
): ReadonlyMap<ProviderClass, Provider> {
  const found = new Map<ProviderClass, Provider>();
  const byDepth = [...modules.values()].toSorted((one, other) => other.distance - one.distance);
  const providers = byDepth.flatMap((module) => [...module.providers.values()] as Provider[]);
  for (const provider of providers) {
    const type = classOf(provider);
    if (type === undefined || provider.isAlias || !isDecorated(type)) continue;
    const other = found.get(type);
    if (other === undefined) found.set(type, provider);
    else warnOfSecond(events, type.name, placeOf(other), placeOf(provider), alternative);
  }
  return found;
}

/** The module of a provider, and the token when one module may have several providers of the class. */
export function placeOf(provider: Provider): string {
  const module = String(provider.host?.name);
  return provider.token === provider.metatype ? module : `${module} as '${String(provider.name)}'`;
}

function warnOfSecond(
  events: BackgroundEvents,
  name: string,
  first: string,
  second: string,
  alternative: string,
): void {
  events.emit('host.warning', {
    code: 'PROVIDED_TWICE',
    message:
      `${name} is provided by ${first} and by ${second}. It runs once, as the one of ${first}. ` +
      `Provide it in one module, and export it from there if others inject it.${alternative}`,
  });
}

function classOf(provider: Provider): ProviderClass | undefined {
  if (provider.metatype && !provider.inject) return provider.metatype as ProviderClass;
  // A factory's metatype is the factory, a value has none: what there is tells the class, where there is one of it.
  if (!isSingleton(provider) || typeof provider.instance !== 'object' || provider.instance === null)
    return undefined;
  // By way of the prototype: a proxy need not answer for `constructor` here.
  const type: unknown = (Object.getPrototypeOf(provider.instance) as object | null)?.constructor;
  return typeof type === 'function' ? (type as ProviderClass) : undefined;
}
