import type { ModulesContainer } from '@nestjs/core';
import { NotATaskHandlerError } from '../errors.js';
import type { BackgroundEvents } from '../events/background-events.js';
import type { QueueRegistry } from '../tasks/queue-registry.js';
import type { RegisteredHandler } from '../tasks/task-handlers.js';
import { findDecorated, placeOf, type ProviderClass } from './decorated-providers.js';
import type { NestScope } from './nest-scope.js';
import { isSingleton, type Provider } from './provider-index.js';
import { tasksHandledBy } from './task-handler.js';

/**
 * Finds the providers with `@TaskHandler()` and makes them known to the queues.
 *
 * @throws DuplicateTaskHandlerError, NotATaskHandlerError
 * @throws UnknownNameError when a definition names a queue that there is not
 */
export function discoverTaskHandlers(
  modules: ModulesContainer,
  events: BackgroundEvents,
  queues: QueueRegistry,
): void {
  const handlers = findDecorated(modules, events, (type) => tasksHandledBy(type).length > 0);
  for (const [type, provider] of handlers) {
    for (const definition of tasksHandledBy(type)) {
      if (definition.queue !== undefined) queues.queue(definition.queue);
      if (!canHandle(type, provider)) throw new NotATaskHandlerError(type.name, definition.name);
      const label = `${type.name} of ${placeOf(provider)}`;
      queues.handlers.add({ definition, label, handle: handleOf(provider) });
    }
  }
  queues.handlers.complete();
}

/** On the one instance, or on the instance of the attempt's own scope. */
function handleOf(provider: Provider): RegisteredHandler['handle'] {
  if (isSingleton(provider))
    return (payload, context) => (provider.instance as Handling).handle(payload, context);
  return async (payload, context) => {
    const instance = await (context.scope as NestScope).resolveProvider(provider);
    return (instance as Handling).handle(payload, context);
  };
}

interface Handling {
  handle(payload: unknown, context: unknown): unknown;
}

/** A method, or a field that holds a function; the fields of a scoped class show only when it is instantiated. */
function canHandle(type: ProviderClass, provider: Provider): boolean {
  if (hasHandle(type.prototype)) return true;
  return !isSingleton(provider) || hasHandle(provider.instance);
}

function hasHandle(value: unknown): boolean {
  return typeof (value as Partial<Handling> | undefined)?.handle === 'function';
}
