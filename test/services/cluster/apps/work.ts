import { constant, defineTask } from 'nestjs-nightshift';

export interface Piece {
  /** How long it takes: so many milliseconds, until the gate is opened, or until the gate is opened or its signal is aborted. */
  readonly lasts: number | 'deaf' | 'heedful';
  /** What only one at a time may work for. */
  readonly key?: string;
  /** How many attempts fail. */
  readonly failures?: number;
}

export const work = defineTask<Piece>('work', { retry: { maxAttempts: 3, backoff: constant(10) } });
