import { ManualClock } from 'nestjs-nightshift/testing';
import { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundEvent, EventOf } from '../events/events.js';
import type { TaskContext, WorkWrapper } from '../scopes/context.js';
import { NoScopes } from '../scopes/no-scopes.fixture.js';
import type { ServiceScopeFactory } from '../scopes/scope.js';
import { QueueRegistry } from './queue-registry.js';
import { resolveQueueOptions, type TaskQueueOptions } from './queue.options.js';

interface Surroundings {
  /** Whether its workers have begun. */
  begun?: boolean;
  scopes?: ServiceScopeFactory;
  wrap?: WorkWrapper | undefined;
  /** How long its worker may take to stop. By default there is no limit. */
  shutdownTimeoutMs?: number;
}

/** A queue in a registry of its own, its worker service, and every event they give. */
export function setup(
  options: TaskQueueOptions = {},
  { begun = true, scopes = new NoScopes(), wrap, shutdownTimeoutMs }: Surroundings = {},
) {
  const clock = new ManualClock();
  const events = new BackgroundEvents(clock);
  const seen: BackgroundEvent[] = [];
  events.stream.subscribe((event) => seen.push(event));
  const registry = new QueueRegistry({ clock, events, scopes, wrap, shutdownTimeoutMs });
  const queue = registry.create(resolveQueueOptions(options, 'queue'));
  const { runner } = registry.workers[0]!;
  if (begun) runner.begin!();
  const typesOf = (taskId: string) =>
    seen.filter((event) => 'taskId' in event && event.taskId === taskId).map(({ type }) => type);
  const eventOf = <T extends BackgroundEvent['type']>(type: T) =>
    seen.find((event): event is BackgroundEvent & EventOf<T> => event.type === type);
  return { clock, events, seen, registry, runner, queue, typesOf, eventOf };
}

/** Work that ends when its signal is aborted, with the signal's reason. */
export function heedful({ signal }: TaskContext): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
