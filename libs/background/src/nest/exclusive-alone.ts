import type { BackgroundEvents } from '../events/background-events.js';
import type { BackgroundHost } from '../hosting/host.js';
import type { ServiceDependencies } from '../scheduling/service-composition.js';

/**
 * Warns of exclusive services that know nothing of other processes, because there is no storage which they could share:
 * once for all that start with the host, and of each that is added later.
 */
export function warnOfExclusiveAlone(
  host: BackgroundHost,
  events: BackgroundEvents,
  { occurrences }: ServiceDependencies,
): void {
  if (occurrences !== undefined) return;
  const named = new Set<string>();
  const warn = (): void => {
    const alone = host.services.filter(
      ({ exclusive, name, state }) => exclusive && state !== 'disabled' && !named.has(name),
    );
    if (alone.length === 0) return;
    for (const { name } of alone) named.add(name);
    const names = alone.map(({ name }) => name).join(', ');
    events.emit('host.warning', {
      code: 'EXCLUSIVE_ALONE',
      message: `Exclusive services: ${names}. ${aloneMessage}`,
    });
  };
  events.on('host.started', warn);
  events.on('service.started', warn);
}

const aloneMessage =
  'Tasks and ticks are kept in memory, so every process of this application runs all their ticks. Give ' +
  'BackgroundModule.forRoot() a durable `engine` that the processes share, or leave `exclusive` out.';
