import { backgroundService } from './background-service.js';
import type { Behaviour } from './behaviour.js';
import { channels } from './channels.js';
import { hostStart } from './host-start.js';
import { hostStop } from './host-stop.js';
import { periodicTimer } from './periodic-timer.js';
import { queue } from './queue.js';
import { scopes } from './scopes.js';

/** The behaviours of one part of .NET, numbered from 1 to `size`. */
export interface Family {
  readonly letter: string;
  readonly title: string;
  readonly size: number;
  readonly behaviours: readonly Behaviour[];
}

export const families: readonly Family[] = [
  { letter: 'H', title: 'Host start', size: 38, behaviours: hostStart },
  { letter: 'S', title: 'Host stop', size: 32, behaviours: hostStop },
  { letter: 'B', title: 'BackgroundService', size: 34, behaviours: backgroundService },
  { letter: 'P', title: 'PeriodicTimer', size: 24, behaviours: periodicTimer },
  { letter: 'D', title: 'DI scopes and disposal', size: 37, behaviours: scopes },
  { letter: 'C', title: 'Channels', size: 70, behaviours: channels },
  { letter: 'Q', title: 'The queued hosted service', size: 13, behaviours: queue },
];

export function idsOf({ letter, size }: Family): string[] {
  return Array.from({ length: size }, (_, index) => `${letter}${index + 1}`);
}
