import type { Behaviour } from './behaviour.js';

export const periodicTimer: readonly Behaviour[] = [
  { id: 'P1', behaviour: 'The timer runs from its construction on, and ticks first after one whole period.' },
  { id: 'P2', behaviour: 'A tick that came before the wait ends the wait at once.' },
  { id: 'P3', behaviour: 'Ticks that nobody waited for count as one.' },
  {
    id: 'P4',
    behaviour: 'Ticks keep their beat: after a long iteration the next may come sooner than a period later.',
  },
  { id: 'P5', behaviour: 'A second wait at the same time throws at once and leaves the first alone.' },
  { id: 'P6', behaviour: 'The check for a second wait comes before the token is looked at.' },
  {
    id: 'P7',
    behaviour: 'A token that is already cancelled ends the wait as cancelled and uses up no tick.',
  },
  { id: 'P8', behaviour: 'Cancelling during a wait ends it with the cancellation of that token.' },
  { id: 'P9', behaviour: 'Only that wait is cancelled: the timer goes on and can be waited for again.' },
  {
    id: 'P10',
    behaviour:
      'Of a tick and a cancellation the first decides; a tick that comes before the cancelled wait is looked at is lost.',
    difference: {
      kind: 'differs',
      reason: 'The first decides as well, but the tick is not lost: the next wait gets it.',
    },
  },
  { id: 'P11', behaviour: 'Disposing the timer ends a pending wait with false.' },
  { id: 'P12', behaviour: 'After disposal every wait ends at once with false.' },
  { id: 'P13', behaviour: 'Disposing the timer again does nothing.' },
  { id: 'P14', behaviour: 'A tick that nobody has seen is void once the timer is disposed.' },
  { id: 'P15', behaviour: 'A cancelled token comes first even after disposal.' },
  {
    id: 'P16',
    behaviour:
      'A period is 1 to 4294967294 whole milliseconds, fractions cut off, or infinite; anything else is refused.',
  },
  { id: 'P17', behaviour: 'An infinite period never ticks, until it is changed.' },
  { id: 'P18', behaviour: 'The period can be read and set; a wrong value is refused and the old one stays.' },
  {
    id: 'P19',
    behaviour: 'After a change the next tick comes one new period later, also for a pending wait.',
  },
  { id: 'P20', behaviour: 'Changing the period keeps a tick that nobody has seen.' },
  { id: 'P21', behaviour: 'The period of a disposed timer cannot be set.' },
  {
    id: 'P22',
    behaviour:
      'The source of time can be given; the period is checked before it, and it arms one repeating timer.',
    difference: {
      kind: 'differs',
      reason:
        'The `clock` is asked for a single timer per wait, and for none while nobody waits, so a forgotten timer does not keep the process alive.',
      decision: '0013-where-channels-differ',
    },
  },
  { id: 'P23', behaviour: 'The timer does not carry the ambient context in which it was made.' },
  {
    id: 'P24',
    behaviour: 'True is a tick, false the end of the timer, and a cancellation the end of that wait alone.',
  },
];
