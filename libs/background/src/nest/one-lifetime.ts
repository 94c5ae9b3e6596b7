import type { ModulesContainer } from '@nestjs/core';
import { LifetimeReplacedError } from '../errors.js';
import { ApplicationLifetime } from '../hosting/lifetime.js';

/**
 * Refuses an application in which another module provides an `ApplicationLifetime`. The class has no dependencies, so
 * Nest would quietly make a second one, and `stopApplication()` on that one would do nothing.
 *
 * @throws LifetimeReplacedError
 */
export function expectOneLifetime(modules: ModulesContainer, owner: unknown): void {
  for (const { metatype, name, providers } of modules.values())
    if (metatype !== owner && providers.has(ApplicationLifetime)) throw new LifetimeReplacedError(name);
}
